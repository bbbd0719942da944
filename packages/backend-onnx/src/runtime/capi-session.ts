/** A session over the C API: compiled and run on libuv's threads, outputs written in place. */
import { BackendError } from "@diptych/core";
import type { Handle } from "./c-api.js";
import { CapiBinding } from "./capi-binding.js";
import type { CapiStore, CapiTensor, CapiTensors } from "./capi-binding.js";
import { createSessionOptions } from "./capi-environment.js";
import type { CapiDevice } from "./capi-device.js";
import type { CapiEnvironment } from "./capi-environment.js";
import { addInitializers } from "./capi-initializers.js";
import { readSignatures } from "./capi-signatures.js";
import { takeHandle } from "./native-ort.js";
import { createOrtError, isTermination } from "./ort-errors.js";
import type { OrtFailureContext, OrtStatus } from "./ort-errors.js";
import type { OrtRunOptions, OrtSession, OrtSessionOptions, OrtTensor } from "./ort-runtime.js";
import { checkOutputs, checkSessionLive, createAbortError, throwIfAborted } from "./run-checks.js";
import { enqueueRun } from "./run-queue.js";
import { findInputs, findOutputs } from "./tensor-signature.js";
import type { TensorSignature } from "./tensor-signature.js";

const optimizationLevels = { disable: 0, basic: 1, extended: 2, all: 99 } as const;
const shrinkKey = "memory.enable_memory_arena_shrinkage";
/** Beyond this many sets of input shapes, a run no longer pays for tidying up after its first time. */
const settledShapesLimit = 8;

/** A serialised model, how to compile it, and where it runs (null: on the CPU). */
export interface SessionSource {
  readonly model: Uint8Array;
  readonly options: OrtSessionOptions;
  readonly device: CapiDevice | null;
}

/**
 * Compiles a model on one of libuv's threads.
 * @throws BackendError when ONNX Runtime refuses the model or an option.
 */
export async function createCapiSession(
  environment: CapiEnvironment,
  store: CapiStore,
  source: SessionSource,
): Promise<OrtSession> {
  const { api } = environment.native;
  const { label, describeNode } = source.options;
  const context: OrtFailureContext = { doing: "createSession", label, describeNode };
  const options = createNativeOptions(environment, source, context);
  let session: Handle | null = null;
  try {
    session = await compile(environment, { model: source.model, options, context });
    const signatures = readSignatures(environment, session, context);
    return new CapiSession(environment, store, {
      session,
      nativeOptions: options,
      options: source.options,
      device: source.device,
      ...signatures,
    });
  } catch (error) {
    if (session !== null) api.ReleaseSession(session);
    api.ReleaseSessionOptions(options);
    throw error;
  }
}

interface Compilation {
  readonly model: Uint8Array;
  readonly options: Handle;
  readonly context: OrtFailureContext;
}

async function compile(
  { native, env }: CapiEnvironment,
  { model, options, context }: Compilation,
): Promise<Handle> {
  const out: [Handle | null] = [null];
  const status = await new Promise<Handle | null>((resolve, reject) => {
    native.api.CreateSessionFromArray.async(
      env,
      model,
      model.byteLength,
      options,
      out,
      (error, result) => {
        if (error) reject(error);
        else resolve(result);
      },
    );
  });
  native.check(status, context);
  if (out[0] === null) {
    throw new BackendError(
      `backend-onnx/createSession: "${context.label}": ONNX Runtime made no session. Please report it.`,
    );
  }
  return out[0];
}

function createNativeOptions(
  environment: CapiEnvironment,
  { options, device }: SessionSource,
  context: OrtFailureContext,
): Handle {
  const { native } = environment;
  const { api } = native;
  const handle = createSessionOptions(environment);
  const check = (status: Handle | null): void => native.check(status, context);
  try {
    check(
      api.SetSessionGraphOptimizationLevel(
        handle,
        optimizationLevels[options.graphOptimization ?? "basic"],
      ),
    );
    if (options.intraOpThreads !== undefined)
      check(api.SetIntraOpNumThreads(handle, options.intraOpThreads));
    // A device's first run would keep what it allocated tensor by tensor beside the planned block of the next ones.
    if (options.memoryPattern === false || device !== null) check(api.DisableMemPattern(handle));
    if (options.profile !== undefined) check(api.EnableProfiling(handle, options.profile));
    for (const [key, value] of Object.entries(options.config ?? {})) {
      if (key !== shrinkKey) check(api.AddSessionConfigEntry(handle, key, value));
    }
    device?.appendTo(handle, context);
    addInitializers(environment, handle, { tensors: options.initializers ?? [], context });
    return handle;
  } catch (error) {
    api.ReleaseSessionOptions(handle);
    throw error;
  }
}

interface CapiSessionParts {
  readonly session: Handle;
  readonly nativeOptions: Handle;
  readonly options: OrtSessionOptions;
  readonly device: CapiDevice | null;
  readonly inputs: readonly TensorSignature[];
  readonly outputs: readonly TensorSignature[];
}

class CapiSession implements OrtSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly #environment: CapiEnvironment;
  readonly #store: CapiStore;
  readonly #parts: CapiSessionParts;
  readonly #context: OrtFailureContext;
  readonly #binding: CapiBinding;
  readonly #runOptions: Handle;
  readonly #settlingRunOptions: Handle;
  readonly #settledShapes = new Set<string>();
  /** The options of the run in flight. */
  #inFlight: Handle | null = null;
  #disposal: Promise<void> | null = null;

  constructor(environment: CapiEnvironment, store: CapiStore, parts: CapiSessionParts) {
    const { label, describeNode, config } = parts.options;
    this.#environment = environment;
    this.#store = store;
    this.#parts = parts;
    this.#context = { doing: "run", label, describeNode };
    this.inputNames = Object.freeze(parts.inputs.map(({ name }) => name));
    this.outputNames = Object.freeze(parts.outputs.map(({ name }) => name));
    this.#runOptions = this.#createRunOptions(config?.[shrinkKey]);
    this.#settlingRunOptions = this.#createRunOptions("cpu:0");
    const { session, device } = parts;
    const { inputNames, outputNames } = this;
    this.#binding = new CapiBinding(environment, {
      session,
      inputNames,
      outputNames,
      context: this.#context,
      device,
    });
  }

  async run(
    inputs: ReadonlyMap<string, OrtTensor>,
    outputs: ReadonlyMap<string, OrtTensor>,
    { signal }: OrtRunOptions = {},
  ): Promise<void> {
    this.#checkMayRun(signal);
    const tensors = this.#findTensors(inputs, outputs);
    const used = [...tensors.inputs, ...tensors.outputs].filter((tensor) => tensor !== null);
    for (const tensor of used) this.#store.pin(tensor);
    try {
      await enqueueRun(async () => {
        this.#checkMayRun(signal);
        await this.#runNow(tensors, signal);
      });
    } finally {
      for (const tensor of used) this.#store.unpin(tensor);
    }
  }

  dispose(): Promise<void> {
    this.#disposal ??= this.#endAndRelease();
    return this.#disposal;
  }

  #checkMayRun(signal: AbortSignal | undefined): void {
    const { label } = this.#parts.options;
    checkSessionLive(this.#disposal === null, label);
    throwIfAborted(signal, label);
  }

  #createRunOptions(shrink: string | undefined): Handle {
    const { native } = this.#environment;
    const options = takeHandle(native, this.#context, (out) => native.api.CreateRunOptions(out));
    if (shrink !== undefined)
      native.check(native.api.AddRunConfigEntry(options, shrinkKey, shrink), this.#context);
    return options;
  }

  #findTensors(
    inputs: ReadonlyMap<string, OrtTensor>,
    outputs: ReadonlyMap<string, OrtTensor>,
  ): CapiTensors {
    const { options, inputs: inputSignatures, outputs: outputSignatures } = this.#parts;
    const { label } = options;
    checkOutputs(outputs, label);
    const find = (tensor: OrtTensor, name: string): CapiTensor => this.#store.find(tensor, name);
    return {
      inputs: findInputs({ label, kind: "input", signatures: inputSignatures, find }, inputs),
      outputs: findOutputs({ label, kind: "output", signatures: outputSignatures, find }, outputs),
    };
  }

  async #runNow(tensors: CapiTensors, signal: AbortSignal | undefined): Promise<void> {
    const { native } = this.#environment;
    const settles = this.#binding.bind(tensors) && this.#startSettling(tensors.inputs);
    const options = settles ? this.#settlingRunOptions : this.#runOptions;
    const end = (): void => native.check(native.api.RunOptionsSetTerminate(options), this.#context);
    signal?.addEventListener("abort", end, { once: true });
    this.#inFlight = options;
    let failure: OrtStatus | null;
    try {
      failure = native.readStatus(await this.#callRun(options));
    } finally {
      signal?.removeEventListener("abort", end);
      this.#inFlight = null;
      native.check(native.api.RunOptionsUnsetTerminate(options), this.#context);
    }
    if (settles) native.trimHeap();
    if (failure === null) return;
    if (isTermination(failure)) throw createAbortError(this.#parts.options.label, signal?.reason);
    throw createOrtError(failure, this.#context);
  }

  #callRun(options: Handle): Promise<Handle | null> {
    return new Promise((resolve, reject) => {
      const { RunWithBinding } = this.#environment.native.api;
      RunWithBinding.async(this.#parts.session, options, this.#binding.handle, (error, status) => {
        if (error) reject(error);
        else resolve(status);
      });
    });
  }

  /**
   * Whether this run is the first of its input shapes. That one allocates tensor
   * by tensor to learn the plan; the next ones take the planned block beside it,
   * so that activations would exist twice if the first kept its memory.
   */
  #startSettling(inputs: readonly CapiTensor[]): boolean {
    if (
      this.#parts.options.memoryPattern === false ||
      this.#parts.device !== null ||
      this.#settledShapes.size >= settledShapesLimit
    )
      return false;
    const shapes = inputs.map(({ shape }) => shape.join(",")).join(";");
    if (this.#settledShapes.has(shapes)) return false;
    this.#settledShapes.add(shapes);
    return true;
  }

  async #endAndRelease(): Promise<void> {
    const { native } = this.#environment;
    const { RunOptionsSetTerminate } = native.api;
    if (this.#inFlight !== null)
      native.check(RunOptionsSetTerminate(this.#inFlight), this.#context);
    await enqueueRun(() => {
      this.#release();
      return Promise.resolve();
    });
  }

  #release(): void {
    const { native, allocator } = this.#environment;
    const { api } = native;
    const { session, nativeOptions, options } = this.#parts;
    this.#binding.release();
    if (options.profile !== undefined) {
      const path = takeHandle(native, this.#context, (out) =>
        api.SessionEndProfiling(session, allocator, out),
      );
      native.check(api.AllocatorFree(allocator, path), this.#context);
    }
    api.ReleaseSession(session);
    api.ReleaseRunOptions(this.#runOptions);
    api.ReleaseRunOptions(this.#settlingRunOptions);
    api.ReleaseSessionOptions(nativeOptions);
    this.#environment.shrinkArena();
  }
}
