/** What each op becomes on each engine, by running its lowering and listening: the source of the support table in the documentation. */
import {
  createHostArray,
  createHostTensor,
  elementCount,
  dimSymbols,
  evaluateDim,
  type BackendCapabilities,
  type Dim,
  type Graph,
  type Node,
  type ValueType,
} from "@diptych/core";
import { graphNodes, prepareForBackend } from "@diptych/core/backend";
import type { ConcreteType, Handle, OpCall } from "../executor/device.js";
import { CORE_DTYPES, createCoreEngine } from "../engines/core-engine.js";
import { openCpu } from "../engines/cpu.js";
import { openWasm } from "../engines/wasm.js";
import { createNodeDevice } from "../node/node-device.js";
import { createCapabilities } from "../node/node-engine.js";
import { loadTfjsNode } from "../node/load-addon.js";
import { TF_COMPOSITES } from "../node/table.js";
import type { TfBinding } from "../node/tf-binding.js";
import type { TfCore } from "./kernels.js";
import { WEBGPU_OVERRIDES } from "./webgpu.js";

/** Lowered by one engine. */
export interface LoweringDescription {
  /** Settings that choose it: `{ engine: "wasm" }`. */
  readonly settings: Readonly<Record<string, string>>;
  readonly capabilities: Pick<BackendCapabilities, "dtypes" | "emulatedDtypes">;
  /** Kernels by op, each once; null where core expands it, empty where it needs none. */
  readonly kernels: Readonly<Record<string, readonly string[] | null>>;
}

/**
 * The engines of TensorFlow.js's own kernels, each by itself; but `webgpu`'s lowerings run on the kernels of `cpu`, which
 * has all that it uses, so that no GPU need be there.
 *
 * @param graphs By op: a graph with one node of it.
 */
export async function describeLowering(
  graphs: Readonly<Record<string, Graph>>,
): Promise<readonly LoweringDescription[]> {
  const core = await import("@tensorflow/tfjs-core");
  const wasm = await openWasm();
  const cpu = await openCpu();
  const webgpu = createCoreEngine(core, {
    name: "cpu",
    description: "webgpu's lowerings on the kernels of cpu",
    slow: true,
    deviceMemory: "host",
    synchronous: true,
    copiesUploads: false,
    copiesReads: false,
    overrides: WEBGPU_OVERRIDES,
  });
  const descriptions: LoweringDescription[] = [];
  for (const [engine, { device, capabilities }] of Object.entries({ webgpu, wasm, cpu })) {
    await device.enter();
    const kernels = listeningTo(core, (heard) =>
      describeAll(graphs, {
        composites: capabilities.nativeComposites,
        heard,
        upload: (type) => device.upload(valuesOf(type)),
        execute: (call) => void device.execute(call),
      }),
    );
    descriptions.push({ settings: { engine }, capabilities, kernels });
  }
  for (const { device } of [webgpu, wasm, cpu]) device.dispose();
  return descriptions;
}

/** Calls `work` with the names of the kernels that TensorFlow.js is asked for meanwhile. */
function listeningTo<T>(core: TfCore, work: (heard: string[]) => T): T {
  const engine = core.engine();
  const heard: string[] = [];
  const run = engine.runKernel.bind(engine);
  const listening = (name: string, ...rest: readonly unknown[]): unknown => {
    heard.push(name);
    return Reflect.apply(run, engine, [name, ...rest]);
  };
  engine.runKernel = listening as typeof engine.runKernel;
  try {
    return work(heard);
  } finally {
    engine.runKernel = run;
  }
}

/**
 * The engine `node`, whose ops are TensorFlow's; on a processor or card that multiplies bfloat16.
 *
 * @throws BackendError where tfjs-node is not installed.
 */
export async function describeNodeLowering(
  graphs: Readonly<Record<string, Graph>>,
): Promise<LoweringDescription> {
  const { binding } = await loadTfjsNode(false);
  const heard: string[] = [];
  const device = createNodeDevice(listening(binding, heard));
  try {
    const kernels = describeAll(graphs, {
      composites: TF_COMPOSITES,
      heard,
      upload: (type) => device.upload(valuesOf(type)),
      execute: (call) => void device.execute(call),
    });
    return { settings: { engine: "node" }, capabilities: createCapabilities(true), kernels };
  } finally {
    device.dispose();
  }
}

/** The addon's functions cannot be replaced, nor stood for by a Proxy: a copy of the object has its own. */
function listening(binding: TfBinding, heard: string[]): TfBinding {
  const copy: Record<string, unknown> = {};
  for (const key of Object.getOwnPropertyNames(binding)) {
    const value: unknown = Reflect.get(binding, key);
    copy[key] =
      typeof value !== "function"
        ? value
        : (...args: readonly unknown[]): unknown => {
            if (key === "executeOp") heard.push(String(args[0]));
            return Reflect.apply(value, binding, args) as unknown;
          };
  }
  return copy as unknown as TfBinding;
}

interface Runner<T extends Handle> {
  readonly composites: ReadonlySet<string>;
  /** Names of the kernels that ran. */
  readonly heard: string[];
  readonly upload: (type: ConcreteType) => T;
  readonly execute: (call: OpCall<T>) => void;
}

function describeAll<T extends Handle>(
  graphs: Readonly<Record<string, Graph>>,
  runner: Runner<T>,
): Readonly<Record<string, readonly string[] | null>> {
  const capabilities: BackendCapabilities = {
    nativeComposites: runner.composites,
    dtypes: CORE_DTYPES,
    donation: true,
    imageLayout: "NHWC",
    deviceMemory: "host",
  };
  const found = Object.entries(graphs).map(([op, graph]) => {
    const nodes = graphNodes(prepareForBackend(graph, capabilities, "tfjs"));
    const node = nodes.find((candidate) => candidate.op === op);
    // Leaves are the executor's; what the passes removed leaves nothing to run.
    const gone = nodes.every(isSource) ? [] : null;
    const kernels = node && !isSource(node) ? kernelsOf(node, runner) : gone;
    return [op, kernels] as const;
  });
  return Object.fromEntries(found);
}

function isSource({ op }: Node): boolean {
  return op === "input" || op === "parameter" || op === "constant";
}

function kernelsOf<T extends Handle>(node: Node, runner: Runner<T>): readonly string[] {
  const inputs = node.inputs.map((value) =>
    runner.upload(concrete(value.node.outputs[value.index]!)),
  );
  runner.heard.length = 0;
  runner.execute({
    node,
    attrs: node.attrs,
    inputs,
    outputs: node.outputs.map(concrete),
    sizeOf,
    derive: (_index, _key, make) => make(),
  });
  return [...new Set(runner.heard)];
}

/** Symbols, where a graph has any, stand for three. */
function sizeOf(dim: Dim): number {
  return evaluateDim(dim, Object.fromEntries([...dimSymbols(dim)].map((symbol) => [symbol, 3])));
}

function concrete({ shape, dtype }: ValueType): ConcreteType {
  return { shape: shape.map(sizeOf), dtype };
}

/** Ones where floats are asked for; zeros else, which are indices in range. */
function valuesOf({ shape, dtype }: ConcreteType): ReturnType<typeof createHostTensor> {
  const data = createHostArray(dtype, elementCount(shape));
  if (dtype === "float32") data.fill(1);
  return createHostTensor(dtype, shape, data as never);
}
