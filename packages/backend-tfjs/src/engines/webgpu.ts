/** Engine `webgpu`: the GPU through Dawn, which the npm package `webgpu` brings to Node; a browser's own where there is one. */
import { BackendError } from "@diptych/core";
import { WEBGPU_OVERRIDES } from "../lowering/webgpu.js";
import { createCoreEngine, enterEngine } from "./core-engine.js";
import type { Engine } from "./engine.js";

/** As much of WebGPU as is asked before TensorFlow.js takes over. */
interface Adapter {
  readonly info: {
    readonly vendor: string;
    readonly architecture: string;
    readonly description: string;
    readonly isFallbackAdapter?: boolean;
  };
}

interface Gpu {
  requestAdapter(options?: { readonly powerPreference?: string }): Promise<Adapter | null>;
}

interface WithGpu {
  gpu?: Gpu;
}

const SOFTWARE = /swiftshader|llvmpipe|lavapipe/i;

/** WebGPU where there is none yet: Dawn, and what makes it this process's once it has a device. */
async function loadDawn(): Promise<{ readonly gpu: Gpu; readonly install: () => void }> {
  let dawn: typeof import("webgpu");
  try {
    dawn = await import("webgpu");
  } catch (cause) {
    throw new BackendError(
      "backend-tfjs/webgpu: package: expected the npm package webgpu (Dawn), got none that loads. Install it (`npm i webgpu`), or choose another engine.",
      { cause },
    );
  }
  const gpu: Gpu = dawn.create([]);
  const install = (): void => {
    Object.assign(globalThis, dawn.globals);
    const scope = globalThis as { navigator?: WithGpu };
    const property = { value: gpu, configurable: true };
    if (scope.navigator) Object.defineProperty(scope.navigator, "gpu", property);
    else {
      const value = Object.defineProperty({}, "gpu", property);
      Object.defineProperty(globalThis, "navigator", { value, configurable: true, writable: true });
    }
  };
  return { gpu, install };
}

/** @throws BackendError where no GPU is found; nothing is changed then. */
async function findAdapter(): Promise<Adapter> {
  const given = (globalThis as { navigator?: WithGpu }).navigator?.gpu;
  const { gpu, install } = given ? { gpu: given, install: undefined } : await loadDawn();
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    throw new BackendError(
      "backend-tfjs/webgpu: device: expected a GPU that WebGPU can use, got none. On Linux, install the Vulkan loader (libvulkan1) and the card's Vulkan driver, or name a software renderer's (VK_ICD_FILENAMES=…/vk_swiftshader_icd.json); or choose another engine.",
    );
  }
  install?.();
  return adapter;
}

export async function openWebgpu(): Promise<Engine> {
  const { info } = await findAdapter();
  const core = await import("@tensorflow/tfjs-core");
  // It registers itself only where WebGPU was found before.
  await import("@tensorflow/tfjs-backend-webgpu");
  await enterEngine(core, "webgpu");
  const device = info.description || `${info.vendor} ${info.architecture}`.trim() || "unnamed";
  return createCoreEngine(core, {
    name: "webgpu",
    description: `TensorFlow.js ${core.version_core}, webgpu (${device})`,
    slow: info.isFallbackAdapter === true || SOFTWARE.test(device),
    deviceMemory: "device",
    synchronous: false,
    copiesUploads: false,
    copiesReads: false,
    overrides: WEBGPU_OVERRIDES,
    takeFailure: watchFailures((core.backend() as unknown as { device: FailingDevice }).device),
  });
}

/** As much of a device as tells of its failures. */
interface FailingDevice {
  addEventListener(
    type: "uncapturederror",
    listener: (event: { readonly error: { readonly message: string } }) => void,
  ): void;
  readonly lost: Promise<{ readonly message: string }>;
}

/** The first failure of each device that nobody has taken yet. */
const failures = new WeakMap<FailingDevice, { first: string | undefined }>();

/** Errors of the device arrive by event, long after the calls that made them. */
function watchFailures(device: FailingDevice): () => string | undefined {
  const known = failures.get(device);
  const failure = known ?? { first: undefined };
  if (!known) {
    failures.set(device, failure);
    device.addEventListener("uncapturederror", ({ error }) => {
      failure.first ??= error.message;
    });
    void device.lost.then(({ message }) => {
      failure.first ??= `the device was lost: ${message}`;
    });
  }
  return () => {
    const { first } = failure;
    failure.first = undefined;
    return first;
  };
}
