/**
 * The runtime over onnxruntime-node's own InferenceSession, for where koffi or
 * the C API cannot load. Outputs are copied into the caller's tensors, runs
 * block the main thread and cannot be ended, bfloat16 does not exist.
 */
import { BackendError } from "@diptych/core";
import { createBindingSession, type HeapBlock } from "./binding-session.js";
import type { OrtRuntime } from "./ort-runtime.js";
import { createSessionRegistry } from "./session-registry.js";
import { TensorStore } from "./tensor-store.js";
import type { TensorMemory } from "./tensor-store.js";

/** @throws BackendError when onnxruntime-node does not load. */
export async function createBindingRuntime(log: (line: string) => void): Promise<OrtRuntime> {
  const ort = await importBinding();
  ort.env.logLevel = "fatal";
  const store = new TensorStore(createHeapMemory(), log);
  const sessions = createSessionRegistry(log);
  return Object.freeze<OrtRuntime>({
    adapter: "binding",
    version: ort.env.versions.node ?? ort.env.versions.common,
    library: "onnxruntime-node",
    donation: false,
    provider: "cpu",
    place: "host",
    allocate(dtype, shape) {
      if (dtype !== "bfloat16") return store.allocate(dtype, shape);
      throw new BackendError(
        `backend-onnx/allocate: dtype: expected one that onnxruntime-node's binding carries, got bfloat16. ` +
          `Use the adapter "capi", or float32 or float16.`,
      );
    },
    borrow: (dtype, shape, bytes) => store.borrow(dtype, shape, heapBlock(bytes)),
    read: (tensor, target) => settle(() => target.set(tensor.view())),
    write: (tensor, source) => settle(() => tensor.view().set(source)),
    transfers: () => ({ toDevice: 0, toHost: 0 }),
    createSession: (model, options) =>
      sessions.add(options.label, () => createBindingSession(ort, store, { model, options })),
    liveTensors: () => store.liveTensors(),
    trimPool: () => store.trimPool(),
    async dispose() {
      await sessions.dispose();
      store.close();
    },
  });
}

async function importBinding(): Promise<typeof import("onnxruntime-node")> {
  try {
    return await import("onnxruntime-node");
  } catch (error) {
    throw new BackendError(
      `backend-onnx/createRuntime: onnxruntime-node: expected it to load, got: ` +
        `${error instanceof Error ? error.message : String(error)}. Run \`npm install onnxruntime-node@1.30.0\`.`,
      { cause: error },
    );
  }
}

/** What was done at once, as a promise. */
function settle(work: () => void): Promise<void> {
  return new Promise((resolve) => {
    work();
    resolve();
  });
}

function heapBlock(bytes: Uint8Array<ArrayBuffer>): HeapBlock {
  return { place: "host", capacity: bytes.byteLength, bytes };
}

/** JavaScript's own memory; a released block goes with the garbage. */
function createHeapMemory(): TensorMemory<HeapBlock, never> {
  return {
    place: "host",
    reserve: (bytes) => heapBlock(new Uint8Array(bytes)),
    release: () => undefined,
    releaseValue: () => undefined,
  };
}
