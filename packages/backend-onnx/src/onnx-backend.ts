/** The backend: lowers graphs to ONNX and runs them through ONNX Runtime. */
import {
  BackendError,
  hostBytes,
  inputName,
  type Backend,
  type BackendCapabilities,
  type BackendTransfers,
  type CompileOptions,
  type Executable,
  type Graph,
  type HostTensor,
} from "@diptych/core";
import {
  bindGraph,
  checkDonations,
  createQueue,
  prepareForBackend,
  withoutConstants,
  type Constants,
  type Queue,
} from "@diptych/core/backend";
import { OnnxDeviceTensor, type LiveTensors } from "./device-tensor.js";
import { bindConstants, placeConstants, splitInitializers } from "./constants.js";
import { createInPlaceCheck } from "./in-place.js";
import { lowerGraph, type LoweredGraph } from "./lowering/lower-graph.js";
import { encodeModel } from "./model-proto/encode-model.js";
import type { OnnxGraph, OnnxModel } from "./model-proto/onnx-model.js";
import { OnnxExecutable, type CompiledModel } from "./onnx-executable.js";
import {
  chooseProvider,
  chooseTarget,
  describeProvider,
  type ProviderSettings,
  type ProviderTarget,
} from "./providers.js";
import { findSaturation } from "./quantize/saturation.js";
import { quantizeGraph } from "./quantize/quantize-graph.js";
import {
  createOrtRuntime,
  type OrtRuntime,
  type OrtSessionOptions,
} from "./runtime/ort-runtime.js";

export interface OnnxBackendOptions extends ProviderSettings {
  /** Threads within one operator; default: the physical cores. */
  readonly threads?: number;
  /** `auto` (default): the C API, and onnxruntime-node's binding where that cannot load. */
  readonly adapter?: "auto" | "capi" | "binding";
  /** Path of another libonnxruntime. */
  readonly library?: string;
  /**
   * Whether a node that the provider has no kernel for may run on the CPU (default true); else compiling it is an error.
   * In a graph with open sizes it always may: they are computed there.
   */
  readonly cpuFallback?: boolean;
  /** Default `basic`, which for training graphs is as fast as `all` and quicker to compile; `all` where weights are constants. */
  readonly graphOptimization?: "disable" | "basic" | "extended" | "all";
  /**
   * Whether ONNX Runtime keeps the constants of an executable (`compile`'s option) in a form of its own beside the host's
   * arrays (default true): products are then faster, most with few rows, and the weights take twice to three times their
   * memory. Without it they are read where they lie, and take none but the host's.
   */
  readonly prepack?: boolean;
  /** Path prefix of a profile per executable, written when it is disposed. */
  readonly profile?: string;
  /** Receives warnings; default `console.warn`. */
  readonly log?: (line: string) => void;
}

/**
 * Creates the backend `onnx`.
 *
 * @throws BackendError when ONNX Runtime cannot be loaded; says what to install.
 *
 * @example
 * const backend = await createOnnxBackend({ threads: 2 });
 * const executable = await backend.compile(graph);
 * const { y } = await executable.run({ x: hostTensorFrom("float32", [2], [1, 2]) });
 */
export async function createOnnxBackend(options: OnnxBackendOptions = {}): Promise<Backend> {
  const { adapter, library, log } = options;
  const runtime = await createOrtRuntime({
    provider: chooseProvider(options),
    ...(adapter === undefined ? {} : { adapter }),
    ...(library === undefined ? {} : { library }),
    ...(log === undefined ? {} : { log }),
  });
  try {
    return openBackend(runtime, options, await chooseTarget(runtime));
  } catch (error) {
    await runtime.dispose();
    throw error;
  }
}

/** What a graph is compiled with. */
interface Source {
  readonly name: string;
  readonly constants: Constants;
  readonly precision: CompileOptions["precision"];
}

interface Binding extends Omit<Source, "name"> {
  readonly graph: Graph;
  readonly lowered: LoweredGraph;
}

interface BoundModel extends Pick<CompiledModel, "fixed" | "keep"> {
  readonly model: OnnxModel;
  readonly settings: Partial<OrtSessionOptions>;
}

/** The backend on a runtime with what may stand in its models, which tests choose otherwise than the provider does. */
export function openBackend(
  runtime: OrtRuntime,
  options: OnnxBackendOptions,
  target: ProviderTarget,
): Backend {
  return new OnnxBackend(runtime, options, target);
}

class OnnxBackend implements Backend {
  readonly name = "onnx";
  readonly capabilities: BackendCapabilities;
  readonly #runtime: OrtRuntime;
  readonly #options: OnnxBackendOptions;
  readonly #target: ProviderTarget;
  readonly #live: LiveTensors = new Set();
  readonly #queue: Queue = createQueue();
  readonly #executables = new Set<Executable>();
  #saturates: Promise<boolean> | undefined;
  #compiled = 0;
  #disposed = false;

  constructor(runtime: OrtRuntime, options: OnnxBackendOptions, target: ProviderTarget) {
    this.#runtime = runtime;
    this.#target = target;
    this.#options = options;
    this.capabilities = Object.freeze({
      nativeComposites: target.composites,
      dtypes: target.dtypes,
      emulatedDtypes: new Set(
        target.narrowFloats !== false ? [] : (["float16", "bfloat16"] as const),
      ),
      donation: runtime.donation,
      imageLayout: "NCHW",
      deviceMemory: runtime.place,
    });
  }

  describe(): string {
    const { adapter, version, provider } = this.#runtime;
    const through = adapter === "capi" ? "its C API" : "onnxruntime-node's binding";
    if (provider !== "cpu")
      return `onnx: ONNX Runtime ${version} through ${through}, ${describeProvider(this.#options)}`;
    const threads = this.#options.threads ?? "all";
    return `onnx: ONNX Runtime ${version} through ${through}, cpu, ${threads} ${threads === 1 ? "thread" : "threads"}`;
  }

  async compile(given: Graph, options: CompileOptions = {}): Promise<Executable> {
    const { donate = {}, constants = new Map<string, HostTensor>(), precision } = options;
    this.#checkLive("compile");
    const name = options.label ?? given.name;
    const donations = checkDonations(given, donate, `backend-onnx/compile: donation of "${name}"`);
    const graph = prepareForBackend(given, this.capabilities, this.name);
    const fed = withoutConstants(graph, constants, { where: "backend-onnx/compile", label: name });
    const source = { constants, precision, name };
    const compiled = await this.#compileGraph(graph, source);
    const { lowered } = compiled;
    const isOpen = lowered.symbols.length > 0;
    const check = createInPlaceCheck(lowered.model.graph);
    const executable: Executable = new OnnxExecutable({
      graph: fed,
      compiled,
      compileEmpty:
        isOpen && !this.#target.emptyKernels
          ? (binding) => this.#compileGraph(bindGraph(graph, binding), source)
          : null,
      runtime: this.#runtime,
      live: this.#live,
      donations,
      inPlace: (input, output) => check(input, lowered.outputNames.get(output) ?? output),
      queue: this.#queue,
      label: name,
      onDispose: () => this.#executables.delete(executable),
    });
    this.#executables.add(executable);
    return executable;
  }

  async #compileGraph(graph: Graph, { name, ...source }: Source): Promise<CompiledModel> {
    const lowered = lowerGraph(graph, this.#target);
    const { model, fixed, keep, settings } = await this.#bind({ graph, lowered, ...source });
    try {
      const session = await this.#runtime.createSession(encodeModel(model), {
        ...this.#sessionOptions(name, lowered.symbols.length > 0, lowered.describeNode),
        ...settings,
      });
      return { lowered, session, keep, fixed };
    } catch (error) {
      for (const tensor of fixed.values()) tensor.dispose();
      throw error;
    }
  }

  async upload(tensor: Parameters<Backend["upload"]>[0]): Promise<OnnxDeviceTensor> {
    this.#checkLive("upload");
    const memory = this.#runtime.allocate(tensor.dtype, tensor.shape);
    try {
      await this.#runtime.write(memory, hostBytes(tensor));
    } catch (error) {
      memory.dispose();
      throw error;
    }
    return new OnnxDeviceTensor(tensor.dtype, memory, {
      runtime: this.#runtime,
      live: this.#live,
    });
  }

  memory(): { readonly tensors: number; readonly bytes: number } {
    let bytes = 0;
    for (const tensor of this.#live) bytes += tensor.byteLength;
    return { tensors: this.#live.size, bytes };
  }

  transfers(): BackendTransfers {
    return this.#runtime.transfers();
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    for (const executable of [...this.#executables]) await executable.dispose();
    for (const tensor of [...this.#live]) tensor.dispose();
    await this.#runtime.dispose();
  }

  #checkLive(doing: string): void {
    if (!this.#disposed) return;
    throw new BackendError(
      `backend-onnx/${doing}: backend: expected it live, got it disposed. Create another one.`,
    );
  }

  /** Where the constants are read: in place as inputs, or as initializers that ONNX Runtime may rearrange. */
  async #bind({ graph, lowered, constants, precision }: Binding): Promise<BoundModel> {
    const { prepack = true, graphOptimization = "all" } = this.#options;
    const { model } = lowered;
    const unchanged = { model, fixed: new Map<string, never>(), keep: undefined, settings: {} };
    if (!graph.inputs.some(({ node }) => constants.has(inputName(node)))) return unchanged;
    // Products in 8 bits are the CPU provider's.
    const int8 = precision === "int8" && this.#runtime.provider === "cpu";
    if (!int8 && (!prepack || this.#runtime.place === "device"))
      return { ...unchanged, fixed: await placeConstants(graph, constants, this.#runtime) };
    const bound = bindConstants(model.graph, constants, lowered.inputNames);
    const narrowed = int8 ? await this.#quantize(bound) : bound;
    const { graph: split, apart } = splitInitializers(narrowed);
    const packing = prepack ? {} : { "session.disable_prepacking": "1" };
    return {
      ...unchanged,
      model: { ...model, graph: split },
      keep: apart,
      settings: {
        initializers: apart,
        graphOptimization,
        config: { ...THREAD_SETTINGS, ...packing },
      },
    };
  }

  /** In 7 bits where this processor's 8-bit products saturate. */
  async #quantize(graph: OnnxGraph): Promise<OnnxGraph> {
    this.#saturates ??= findSaturation(this.#runtime);
    return quantizeGraph(graph, { reduceRange: await this.#saturates, contrib: true });
  }

  #sessionOptions(
    label: string,
    open: boolean,
    describeNode: (name: string) => string,
  ): OrtSessionOptions {
    const { threads, graphOptimization = "basic", profile, cpuFallback = true } = this.#options;
    return {
      label,
      describeNode,
      graphOptimization,
      // Each new set of sizes would be planned and remembered.
      memoryPattern: !open,
      // Open sizes are computed on the CPU in any case.
      config: { ...THREAD_SETTINGS, ...(cpuFallback || open ? {} : NO_FALLBACK) },
      ...(threads === undefined ? {} : { intraOpThreads: threads }),
      ...(profile === undefined ? {} : { profile: `${profile}-${this.#compiled++}` }),
    };
  }
}

/**
 * Idle workers look for work for 0.1 ms and then sleep, and work is shared out in more pieces than there are threads.
 * ONNX Runtime's own default spins for milliseconds: a product right after another session's run then takes 1.3 times as
 * long, and a training step 1.4 times where one other process (or this one's data loader) wants a core.
 */
const THREAD_SETTINGS = Object.freeze({
  "session.intra_op.spin_duration_us": "100",
  "session.dynamic_block_base": "4",
});

const NO_FALLBACK = Object.freeze({ "session.disable_cpu_ep_fallback": "1" });
