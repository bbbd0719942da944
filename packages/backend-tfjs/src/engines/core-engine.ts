/** An engine on TensorFlow.js's own kernels: `cpu`, `wasm` and `webgpu` differ in tables, facts and in how they are loaded. */
import {
  BackendError,
  createHostArray,
  createHostTensor,
  elementCount,
  type BackendCapabilities,
  type DType,
  type HostTensor,
} from "@diptych/core";
import { isCompositeName } from "@diptych/core/backend";
import type { ConcreteType, Device, OpCall } from "../executor/device.js";
import { Kernels, type Tensor, type TfCore } from "../lowering/kernels.js";
import type { LoweringOverrides } from "../lowering/lowering.js";
import { createLoweringTable, loweringOf, type LoweringTable } from "../lowering/table.js";
import type { Engine, EngineName } from "./engine.js";

/** How one engine of TensorFlow.js differs from the others. */
export interface EngineProfile {
  readonly name: EngineName;
  /** One line: versions, device, threads. */
  readonly description: string;
  /** Far slower than the machine. */
  readonly slow: boolean;
  readonly deviceMemory: BackendCapabilities["deviceMemory"];
  /** Whether an op is done when its call returns. */
  readonly synchronous: boolean;
  /** Whether the engine copies the arrays that it is given at once; others read them later. */
  readonly copiesUploads: boolean;
  /** Whether what it reads out is nobody else's memory. */
  readonly copiesReads: boolean;
  readonly memoryLimit?: number;
  /** What it does otherwise than the common table. */
  readonly overrides?: LoweringOverrides;
  /** Kernels in whose place another, by its name, runs. */
  readonly replacedKernels?: ReadonlyMap<string, string>;
  readonly takeFailure?: () => string | undefined;
}

/** Those of TensorFlow.js that core has; its tensors have no 16-bit floats. */
export const CORE_DTYPES: ReadonlySet<DType> = new Set(["float32", "int32", "bool"] as const);

/** Makes the engine the process's current one. @throws BackendError when TensorFlow.js cannot start it. */
export async function enterEngine(core: TfCore, name: EngineName): Promise<void> {
  if (core.getBackend() === name) return;
  if (await core.setBackend(name)) return;
  throw new BackendError(
    `backend-tfjs/${name}: engine: expected TensorFlow.js to start it, got a refusal. Choose another engine.`,
  );
}

/** An engine on the backend that TensorFlow.js has, started, under the engine's name. */
export function createCoreEngine(core: TfCore, profile: EngineProfile): Engine {
  const table = createLoweringTable(profile.overrides);
  const kernels = new Kernels(core, profile.name, profile.replacedKernels);
  const device = createDevice(kernels, table, profile);
  return Object.freeze<Engine>({
    name: profile.name,
    capabilities: Object.freeze({
      nativeComposites: new Set(Object.keys(table).filter(isCompositeName)),
      dtypes: CORE_DTYPES,
      donation: true,
      imageLayout: "NHWC",
      deviceMemory: profile.deviceMemory,
    }),
    description: profile.description,
    slow: profile.slow,
    // No tensor of TensorFlow.js stands where another is expected: the executor hands each device its own.
    device: device as unknown as Device,
  });
}

function createDevice(
  kernels: Kernels,
  table: LoweringTable,
  profile: EngineProfile,
): Device<Tensor> {
  const { core } = kernels;
  const { name, synchronous, memoryLimit, takeFailure } = profile;
  return Object.freeze<Device<Tensor>>({
    synchronous,
    ...(memoryLimit === undefined ? {} : { memoryLimit }),
    ...(takeFailure === undefined ? {} : { takeFailure }),
    enter: () => enterEngine(core, name),
    upload: (tensor, lasting) => {
      const { dtype, shape, data } = tensor;
      if (lasting || profile.copiesUploads) return kernels.fromHost(tensor);
      return kernels.fromHost(createHostTensor(dtype, shape, data.slice()));
    },
    read: (tensor, type) => readTensor(tensor, type, profile.copiesReads),
    alias: (tensor) => kernels.alias(tensor),
    free: (tensor) => {
      tensor.dispose();
    },
    execute: (call) => execute(call, kernels, table),
    usage: () => {
      const { numTensors, numBytes } = core.memory();
      return { tensors: numTensors, bytes: numBytes };
    },
    dispose: () => {
      kernels.dispose();
    },
  });
}

function execute(call: OpCall<Tensor>, kernels: Kernels, table: LoweringTable): readonly Tensor[] {
  // Few kernels know sizes of 0; what is empty needs none.
  if (call.outputs.every(({ shape }) => elementCount(shape) === 0))
    return call.outputs.map(({ shape, dtype }) => kernels.empty(shape, dtype));
  const lowering = loweringOf(table, call.node.op, call.node.origin);
  return kernels.scope(() => lowering(call, kernels));
}

async function readTensor(
  tensor: Tensor,
  { dtype, shape }: ConcreteType,
  copiesReads: boolean,
): Promise<HostTensor> {
  const empty = createHostArray(dtype, 0);
  const values = elementCount(shape) === 0 ? empty : ((await tensor.data()) as typeof empty);
  // A cast of `cpu` may change the dtype and leave the array.
  if (values.constructor === empty.constructor)
    return createHostTensor(dtype, shape, copiesReads ? values : values.slice());
  const data = createHostArray(dtype, values.length);
  data.set(values);
  return createHostTensor(dtype, shape, data);
}
