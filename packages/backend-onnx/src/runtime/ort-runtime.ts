/**
 * The one interface to ONNX Runtime: tensors in its memory, sessions, runs.
 * Two adapters stand behind it: `capi` (the C API through koffi: outputs in
 * place, runs off the main thread) and `binding` (onnxruntime-node's own
 * `InferenceSession`, for where koffi cannot load). Nothing above this file
 * needs to know which one it has, apart from `OrtRuntime.donation`.
 */
import type { OnnxTensor } from "../model-proto/onnx-model.js";
import { createRuntime } from "./create-runtime.js";
import type { OrtProvider, ProviderName } from "./provider.js";

/** Element types of tensors; `int64` exists only at ONNX's door. */
export type OrtDtype = "float32" | "float16" | "bfloat16" | "int32" | "bool" | "int64";

/** Where a tensor's bytes lie: `device` is memory that the host cannot see. */
export type MemoryPlace = "host" | "device";

/** Memory owned by the runtime; it lives until `dispose()`. */
export interface OrtTensor {
  readonly dtype: OrtDtype;
  /** Sizes, row-major; `[]` is a scalar. */
  readonly shape: readonly number[];
  /** Bytes of the elements. */
  readonly byteLength: number;
  readonly place: MemoryPlace;
  /**
   * The live bytes: a write here is what the next run reads, a run writes here.
   * Do not keep the array past `dispose()`: the memory then goes to another tensor.
   * @throws BackendError when the tensor is disposed, or lies on a device.
   */
  view(): Uint8Array;
  /**
   * Gives the buffer back to the runtime's pool. Idempotent. While a run that
   * uses the tensor is in flight, the buffer is given back when that run ends.
   */
  dispose(): void;
}

/** How a session is made. */
export interface OrtSessionOptions {
  /** Threads within one operator; default: what ONNX Runtime takes (the physical cores). */
  intraOpThreads?: number;
  /** Graph optimisation; default `basic`, which for training graphs is as fast as `all` and creates faster. */
  graphOptimization?: "disable" | "basic" | "extended" | "all";
  /**
   * Whether all activations are planned into one block, remembered per set of
   * input shapes; default true. Turn it off for a model with open sizes that meets many shapes.
   */
  memoryPattern?: boolean;
  /**
   * Values of the model's initializers that say `external` (location: the initializer's name, offset 0). The session
   * reads their bytes as long as it lives, without a copy where the adapter can.
   */
  initializers?: readonly OnnxTensor[];
  /** Path prefix of a profile, written when the session is disposed. */
  profile?: string;
  /**
   * Session config entries (`session.*`, `optimization.*`, …) of ONNX Runtime.
   * One key is about runs, not sessions: `memory.enable_memory_arena_shrinkage`
   * (for instance `"cpu:0"`) gives what a run took back to the system at its end.
   */
  config?: Record<string, string>;
  /** Names the session in errors, warnings and logs. */
  label: string;
  /** Turns a node name of the model into words (op and origin) for errors. */
  describeNode?: (name: string) => string;
}

/** How a run is made. */
export interface OrtRunOptions {
  /**
   * Ends a run in flight between two nodes; the promise rejects with an
   * `AbortError` once the native call has returned. Outputs, also donated ones,
   * are then part old, part new: give no signal to a run that updates in place.
   * A run that finished all the same resolves.
   */
  signal?: AbortSignal;
}

/** A compiled model. */
export interface OrtSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /**
   * Runs the model on `inputs` (every input, by name) into `outputs` (every
   * output, or some of them), which the caller has allocated with their final
   * shapes. An output may be the same tensor as an input only where
   * `runtime.donation` is true; the graph must then read the input before it
   * writes the output. Runs of one process queue up, in order of their calls.
   * @throws BackendError for unknown or missing names, wrong dtypes or shapes,
   *   a disposed tensor, a failed node; DOMException named AbortError.
   */
  run(
    inputs: ReadonlyMap<string, OrtTensor>,
    outputs: ReadonlyMap<string, OrtTensor>,
    options?: OrtRunOptions,
  ): Promise<void>;
  /** Ends a run in flight, awaits it, frees the session. Idempotent. */
  dispose(): Promise<void>;
}

/** What is alive in a runtime, for leak tests. */
export interface OrtLiveTensors {
  /** Tensors that are not disposed. */
  readonly count: number;
  /** Their bytes. */
  readonly bytes: number;
  /** Bytes of free buffers kept for the next `allocate`. */
  readonly pooledBytes: number;
}

/** Bytes that crossed the bus between the host's memory and the device's; 0 where there is one memory. */
export interface OrtTransfers {
  readonly toDevice: number;
  readonly toHost: number;
}

/** ONNX Runtime, loaded. */
export interface OrtRuntime {
  readonly provider: ProviderName;
  /** Where `allocate` puts tensors. */
  readonly place: MemoryPlace;
  readonly adapter: "capi" | "binding";
  /** ONNX Runtime's version, as it says itself. */
  readonly version: string;
  /** Path of the library in use. */
  readonly library: string;
  /** Whether an output may be written into an input's buffer. */
  readonly donation: boolean;
  /** A tensor with undefined contents, where the provider computes, or in the host's memory. */
  allocate(dtype: OrtDtype, shape: readonly number[], place?: "host"): OrtTensor;
  /** Copies a tensor's bytes to `target`, after the runs enqueued before. @throws BackendError when it is disposed. */
  read(tensor: OrtTensor, target: Uint8Array): Promise<void>;
  /** Overwrites a tensor's bytes, which `source` has all of, after the runs enqueued before. */
  write(tensor: OrtTensor, source: Uint8Array): Promise<void>;
  transfers(): OrtTransfers;
  /**
   * A tensor over memory of the caller's, without a copy: the array must not change its size or be handed to another
   * thread while the tensor lives. Its bytes do not count as the runtime's.
   */
  borrow(dtype: OrtDtype, shape: readonly number[], bytes: Uint8Array<ArrayBuffer>): OrtTensor;
  /** Compiles a serialised `ModelProto`, off the main thread where the adapter can. */
  createSession(model: Uint8Array, options: OrtSessionOptions): Promise<OrtSession>;
  liveTensors(): OrtLiveTensors;
  /** Frees the pool's buffers. */
  trimPool(): void;
  /** Disposes every session and tensor and frees the pool. Idempotent. */
  dispose(): Promise<void>;
}

/** How ONNX Runtime is found and reported. */
export interface OrtRuntimeOptions {
  /** `auto` (default) is `capi`, and `binding` where that cannot load, with one log line that says why. */
  adapter?: "auto" | "capi" | "binding";
  /** Default: the CPU. A provider with a device needs the adapter `capi`, which is then the default. */
  provider?: OrtProvider;
  /** Path of another libonnxruntime; before the environment variable DIPTYCH_ORT_LIBRARY and the one that onnxruntime-node ships. */
  library?: string;
  /** Receives warnings, a line each; default `process.emitWarning`. */
  log?: (line: string) => void;
}

/**
 * Loads ONNX Runtime.
 * @throws BackendError when the library is absent, of another platform, too old,
 *   or computes wrong numbers in a one-node self-test. Says what to install.
 */
export async function createOrtRuntime(options: OrtRuntimeOptions = {}): Promise<OrtRuntime> {
  return createRuntime(options);
}
