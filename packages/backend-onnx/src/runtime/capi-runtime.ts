/** The runtime over the C API: tensors in native memory outside ONNX Runtime's arena, or on a provider's device. */
import { BackendError } from "@diptych/core";
import type { Handle } from "./c-api.js";
import type { NativeBlock } from "./capi-binding.js";
import { openCapiDevice, type CapiDevice } from "./capi-device.js";
import { openCapiEnvironment } from "./capi-environment.js";
import type { CapiEnvironment } from "./capi-environment.js";
import { createCapiSession } from "./capi-session.js";
import { takeHandle } from "./native-ort.js";
import type { OrtRuntime, OrtTensor } from "./ort-runtime.js";
import type { OrtProvider } from "./provider.js";
import { createSessionRegistry } from "./session-registry.js";
import { TensorStore } from "./tensor-store.js";
import type { TensorMemory } from "./tensor-store.js";

/** What a JavaScript view can span. */
const blockLimitBytes = 2 ** 32 - 1;

/** Which library, where it computes, and who hears of what goes wrong. */
export interface CapiRuntimeOptions {
  readonly library: string;
  readonly provider: OrtProvider;
  readonly log: (line: string) => void;
}

/**
 * @throws BackendError when koffi or the library does not load, the library is too old or fails its self-test, or the
 *   provider finds no device.
 */
export async function createCapiRuntime({
  library,
  provider,
  log,
}: CapiRuntimeOptions): Promise<OrtRuntime> {
  const environment = await openCapiEnvironment(library);
  const device = provider.name === "cpu" ? null : openCapiDevice(environment, provider);
  const store = new TensorStore(createNativeMemory(environment, device), log);
  const sessions = createSessionRegistry(log);
  return Object.freeze<OrtRuntime>({
    adapter: "capi",
    provider: provider.name,
    place: device === null ? "host" : "device",
    version: environment.native.version,
    library,
    donation: device?.inPlace ?? true,
    allocate: (dtype, shape, place) => store.allocate(dtype, shape, place),
    borrow: (dtype, shape, bytes) =>
      store.borrow(dtype, shape, {
        place: "host",
        capacity: bytes.byteLength,
        address: bytes,
        bytes,
      }),
    ...createTransfers(store, device),
    createSession: (model, options) =>
      sessions.add(options.label, () =>
        createCapiSession(environment, store, { model, options, device }),
      ),
    liveTensors: () => store.liveTensors(),
    trimPool() {
      store.trimPool();
      environment.shrinkArena();
    },
    async dispose() {
      await sessions.dispose();
      store.close();
      device?.close();
      environment.shrinkArena();
    },
  });
}

/** Reads and writes, which need ONNX Runtime only where a tensor is not the host's. */
function createTransfers(
  store: TensorStore<NativeBlock, Handle>,
  device: CapiDevice | null,
): Pick<OrtRuntime, "read" | "write" | "transfers"> {
  const move = async (
    tensor: OrtTensor,
    onHost: () => void,
    onDevice: (device: CapiDevice, record: ReturnType<typeof store.find>) => Promise<void>,
  ): Promise<void> => {
    if (device === null || tensor.place === "host") {
      onHost();
      return;
    }
    const record = store.find(tensor, "transfer");
    store.pin(record);
    try {
      await onDevice(device, record);
    } finally {
      store.unpin(record);
    }
  };
  return {
    read: (tensor, target) =>
      move(
        tensor,
        () => target.set(tensor.view()),
        (on, record) => on.read(record, target),
      ),
    write: (tensor, source) =>
      move(
        tensor,
        () => tensor.view().set(source),
        (on, record) => on.write(record, source),
      ),
    transfers: () => device?.transfers() ?? { toDevice: 0, toHost: 0 },
  };
}

/** Memory from ONNX Runtime's own allocator, which aligns to 64 bytes, and from the device's. */
function createNativeMemory(
  { native, allocator }: CapiEnvironment,
  device: CapiDevice | null,
): TensorMemory<NativeBlock, Handle> {
  const context = { doing: "allocate" } as const;
  return {
    place: device === null ? "host" : "device",
    reserve(bytes, place) {
      if (bytes > blockLimitBytes) {
        throw new BackendError(
          `backend-onnx/allocate: tensor: expected at most ${blockLimitBytes} bytes, got ${bytes}. Split it along its first axis.`,
        );
      }
      if (device !== null && place === "device") return device.reserve(bytes);
      const address = takeHandle(native, context, (out) =>
        native.api.AllocatorAlloc(allocator, bytes, out),
      );
      native.adviseHugePages(address, bytes);
      return { place: "host", capacity: bytes, address, bytes: native.viewMemory(address, bytes) };
    },
    release(block) {
      if (device !== null && block.place === "device") device.release(block);
      else native.check(native.api.AllocatorFree(allocator, block.address), context);
    },
    releaseValue(value) {
      native.api.ReleaseValue(value);
    },
  };
}
