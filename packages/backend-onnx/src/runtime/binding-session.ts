/** A session over onnxruntime-node's InferenceSession. */
import { BackendError } from "@diptych/core";
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { createOrtError } from "./ort-errors.js";
import type { OrtFailureContext } from "./ort-errors.js";
import type {
  OrtDtype,
  OrtRunOptions,
  OrtSession,
  OrtSessionOptions,
  OrtTensor,
} from "./ort-runtime.js";
import { checkOutputs, checkSessionLive, throwIfAborted } from "./run-checks.js";
import { enqueueRun } from "./run-queue.js";
import { findInputs, findOutputs } from "./tensor-signature.js";
import type { TensorSignature } from "./tensor-signature.js";
import type { MemoryBlock, TensorRecord, TensorStore } from "./tensor-store.js";

type OrtModule = typeof import("onnxruntime-node");
/** A block that is always the host's. */
export interface HeapBlock extends MemoryBlock {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

type HeapTensor = TensorRecord<HeapBlock, never>;
type HeapStore = TensorStore<HeapBlock, never>;

const optimizationLevels = {
  disable: "disabled",
  basic: "basic",
  extended: "extended",
  all: "all",
} as const;
const shrinkKey = "memory.enable_memory_arena_shrinkage";

/** @throws BackendError when ONNX Runtime refuses the model or an option. */
export async function createBindingSession(
  ort: OrtModule,
  store: HeapStore,
  { model, options }: { readonly model: Uint8Array; readonly options: OrtSessionOptions },
): Promise<OrtSession> {
  const context: OrtFailureContext = {
    doing: "createSession",
    label: options.label,
    describeNode: options.describeNode,
  };
  const session = await ort.InferenceSession.create(model, createOptions(options)).catch(
    (error: unknown) => {
      throw convertError(error, context);
    },
  );
  try {
    return new BindingSession(ort, store, {
      session,
      options,
      inputs: readSignatures(session.inputMetadata, options.label),
      outputs: readSignatures(session.outputMetadata, options.label),
    });
  } catch (error) {
    await session.release();
    throw error;
  }
}

function createOptions(options: OrtSessionOptions): InferenceSession.SessionOptions {
  const { [shrinkKey]: _aboutRuns, ...config } = options.config ?? {};
  return {
    executionProviders: ["cpu"],
    executionMode: "sequential",
    graphOptimizationLevel: optimizationLevels[options.graphOptimization ?? "basic"],
    enableMemPattern: options.memoryPattern !== false,
    extra: config,
    externalData: (options.initializers ?? []).map(({ name, bytes }) => ({
      path: name,
      data: bytes,
    })),
    ...(options.intraOpThreads === undefined ? {} : { intraOpNumThreads: options.intraOpThreads }),
    ...(options.profile === undefined
      ? {}
      : { enableProfiling: true, profileFilePrefix: options.profile }),
  };
}

function readSignatures(
  metadata: readonly InferenceSession.ValueMetadata[],
  label: string,
): TensorSignature[] {
  return metadata.map((value) => {
    if (!value.isTensor || !(value.type in tensorTypes)) {
      throw new BackendError(
        `backend-onnx/createSession: "${label}": type of "${value.name}": expected ${Object.keys(tensorTypes).join(", ")} tensor, ` +
          `got ${value.isTensor ? value.type : "a sequence or map"}. Cast it inside the model, or use the adapter "capi".`,
      );
    }
    const shape = value.shape.map((size) => (typeof size === "number" ? size : null));
    return { name: value.name, dtype: value.type as OrtDtype, shape };
  });
}

type BindingDtype = Exclude<OrtDtype, "bfloat16">;

/** The typed array that the binding expects for a dtype, over the same memory. */
const tensorTypes = {
  float32: Float32Array,
  float16: Uint16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
} as const satisfies Record<BindingDtype, unknown>;

function createBindingTensor(ort: OrtModule, { dtype, shape, block }: HeapTensor): Tensor {
  const type = dtype as BindingDtype;
  const count = shape.reduce((product, size) => product * size, 1);
  const data = new tensorTypes[type](block.bytes.buffer, block.bytes.byteOffset, count);
  return new ort.Tensor(type, data as never, shape);
}

interface BindingSessionParts {
  readonly session: InferenceSession;
  readonly options: OrtSessionOptions;
  readonly inputs: readonly TensorSignature[];
  readonly outputs: readonly TensorSignature[];
}

class BindingSession implements OrtSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly #ort: OrtModule;
  readonly #store: HeapStore;
  readonly #parts: BindingSessionParts;
  #disposal: Promise<void> | null = null;

  constructor(ort: OrtModule, store: HeapStore, parts: BindingSessionParts) {
    this.#ort = ort;
    this.#store = store;
    this.#parts = parts;
    this.inputNames = Object.freeze(parts.inputs.map(({ name }) => name));
    this.outputNames = Object.freeze(parts.outputs.map(({ name }) => name));
  }

  async run(
    inputs: ReadonlyMap<string, OrtTensor>,
    outputs: ReadonlyMap<string, OrtTensor>,
    { signal }: OrtRunOptions = {},
  ): Promise<void> {
    const { label } = this.#parts.options;
    this.#checkMayRun(signal);
    checkOutputs(outputs, label);
    checkNoDonation(inputs, outputs, label);
    const find = (tensor: OrtTensor, name: string): HeapTensor => this.#store.find(tensor, name);
    const read = findInputs({ label, kind: "input", signatures: this.#parts.inputs, find }, inputs);
    const written = findOutputs(
      { label, kind: "output", signatures: this.#parts.outputs, find },
      outputs,
    );
    const used = [...read, ...written].filter((tensor) => tensor !== null);
    for (const tensor of used) this.#store.pin(tensor);
    try {
      await enqueueRun(async () => {
        this.#checkMayRun(signal);
        await this.#runNow(read, written);
      });
    } finally {
      for (const tensor of used) this.#store.unpin(tensor);
    }
  }

  dispose(): Promise<void> {
    this.#disposal ??= enqueueRun(async () => {
      if (this.#parts.options.profile !== undefined) this.#parts.session.endProfiling();
      await this.#parts.session.release();
    });
    return this.#disposal;
  }

  #checkMayRun(signal: AbortSignal | undefined): void {
    const { label } = this.#parts.options;
    checkSessionLive(this.#disposal === null, label);
    throwIfAborted(signal, label);
  }

  async #runNow(
    read: readonly HeapTensor[],
    written: readonly (HeapTensor | null)[],
  ): Promise<void> {
    const { session, options } = this.#parts;
    const feeds: Record<string, Tensor> = {};
    read.forEach((tensor, index) => {
      feeds[this.inputNames[index] ?? ""] = createBindingTensor(this.#ort, tensor);
    });
    const wanted = this.outputNames.filter((_, index) => written[index] !== null);
    const context: OrtFailureContext = {
      doing: "run",
      label: options.label,
      describeNode: options.describeNode,
    };
    const results = await session.run(feeds, wanted).catch((error: unknown) => {
      throw convertError(error, context);
    });
    written.forEach((tensor, index) => {
      const name = this.outputNames[index] ?? "";
      const result = results[name];
      if (tensor !== null && result !== undefined)
        copyResult({ name, label: options.label, result, tensor });
    });
  }
}

interface ResultCopy {
  readonly name: string;
  readonly label: string;
  readonly result: Tensor;
  readonly tensor: HeapTensor;
}

function copyResult({ name, label, result, tensor }: ResultCopy): void {
  if (result.dims.join() !== tensor.shape.join()) {
    throw new BackendError(
      `backend-onnx/run: output "${name}" of "${label}": expected a tensor of [${result.dims.join(",")}], ` +
        `got one of [${tensor.shape.join(",")}]. Allocate it with the shape that the graph computes.`,
    );
  }
  const data = result.data as Float32Array;
  tensor.block.bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

function checkNoDonation(
  inputs: ReadonlyMap<string, OrtTensor>,
  outputs: ReadonlyMap<string, OrtTensor>,
  label: string,
): void {
  const read = new Set(inputs.values());
  for (const [name, tensor] of outputs) {
    if (!read.has(tensor)) continue;
    throw new BackendError(
      `backend-onnx/run: output "${name}" of "${label}": expected a tensor of its own, got an input's: ` +
        `this adapter has no donation. Ask runtime.donation first.`,
    );
  }
}

function convertError(error: unknown, context: OrtFailureContext): BackendError {
  const message = error instanceof Error ? error.message : String(error);
  return createOrtError({ code: 1, message }, context);
}
