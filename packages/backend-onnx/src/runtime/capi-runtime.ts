/** The runtime over the C API: tensors in native memory outside ONNX Runtime's arena. */
import { BackendError } from "@diptych/core";
import type { Handle } from "./c-api.js";
import type { NativeBlock } from "./capi-binding.js";
import { openCapiEnvironment } from "./capi-environment.js";
import type { CapiEnvironment } from "./capi-environment.js";
import { createCapiSession } from "./capi-session.js";
import { takeHandle } from "./native-ort.js";
import type { OrtRuntime } from "./ort-runtime.js";
import { createSessionRegistry } from "./session-registry.js";
import { TensorStore } from "./tensor-store.js";
import type { TensorMemory } from "./tensor-store.js";

/** What a JavaScript view can span. */
const blockLimitBytes = 2 ** 32 - 1;

/**
 * @throws BackendError when koffi or the library does not load, the library is too old or fails its self-test.
 */
export async function createCapiRuntime(
  library: string,
  log: (line: string) => void,
): Promise<OrtRuntime> {
  const environment = await openCapiEnvironment(library);
  const { native } = environment;
  const store = new TensorStore(createNativeMemory(environment), log);
  const sessions = createSessionRegistry(log);
  return Object.freeze<OrtRuntime>({
    adapter: "capi",
    version: native.version,
    library,
    donation: true,
    allocate: (dtype, shape, fill) => store.allocate(dtype, shape, fill),
    borrow: (dtype, shape, bytes) => store.borrow(dtype, shape, { address: bytes, bytes }),
    createSession: (model, options) =>
      sessions.add(options.label, () => createCapiSession(environment, store, { model, options })),
    liveTensors: () => store.liveTensors(),
    trimPool() {
      store.trimPool();
      environment.shrinkArena();
    },
    async dispose() {
      await sessions.dispose();
      store.close();
      environment.shrinkArena();
    },
  });
}

/** Memory from ONNX Runtime's own allocator, which aligns to 64 bytes. */
function createNativeMemory({
  native,
  allocator,
}: CapiEnvironment): TensorMemory<NativeBlock, Handle> {
  const context = { doing: "allocate" } as const;
  return {
    reserve(bytes) {
      if (bytes > blockLimitBytes) {
        throw new BackendError(
          `backend-onnx/allocate: tensor: expected at most ${blockLimitBytes} bytes, got ${bytes}. Split it along its first axis.`,
        );
      }
      const address = takeHandle(native, context, (out) =>
        native.api.AllocatorAlloc(allocator, bytes, out),
      );
      native.adviseHugePages(address, bytes);
      return { address, bytes: native.viewMemory(address, bytes) };
    },
    release({ address }) {
      native.check(native.api.AllocatorFree(allocator, address), context);
    },
    releaseValue(value) {
      native.api.ReleaseValue(value);
    },
  };
}
