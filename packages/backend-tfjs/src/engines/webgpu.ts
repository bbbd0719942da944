/** Engine `webgpu`: the GPU through Dawn, which the npm package `webgpu` brings to Node; a browser's own where there is one. */
import { BackendError } from "@diptych/core";
import { WEBGPU_OVERRIDES } from "../lowering/webgpu.js";
import { createCoreEngine, enterEngine } from "./core-engine.js";
import type { Engine } from "./engine.js";

interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
}

/** As much of WebGPU as is asked before TensorFlow.js takes over. */
interface Gpu {
  requestAdapter(options?: {
    readonly powerPreference?: string;
  }): Promise<{ readonly info: AdapterInfo } | null>;
}

/** WebGPU of this process: the one that is there, or Dawn's. */
async function findGpu(): Promise<Gpu> {
  const given = (globalThis as { navigator?: { gpu?: Gpu } }).navigator?.gpu;
  if (given) return given;
  let dawn: typeof import("webgpu");
  try {
    dawn = await import("webgpu");
  } catch (cause) {
    throw new BackendError(
      "backend-tfjs/webgpu: package: expected the npm package webgpu (Dawn), got none. Install it (npm install webgpu), or choose another engine.",
      { cause },
    );
  }
  const gpu = dawn.create([]);
  Object.assign(globalThis, dawn.globals);
  const navigator: object = (globalThis as { navigator?: object }).navigator ?? {};
  Object.defineProperty(globalThis, "navigator", {
    value: Object.create(navigator, { gpu: { value: gpu, enumerable: true } }) as object,
    configurable: true,
    writable: true,
  });
  return gpu;
}

export async function openWebgpu(): Promise<Engine> {
  const gpu = await findGpu();
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    throw new BackendError(
      "backend-tfjs/webgpu: device: expected a GPU that WebGPU can use, got none. Install its Vulkan driver, or name a software renderer's (VK_ICD_FILENAMES=…/vk_swiftshader_icd.json), or choose another engine.",
    );
  }
  const core = await import("@tensorflow/tfjs-core");
  // It registers itself only where WebGPU was found before.
  await import("@tensorflow/tfjs-backend-webgpu");
  await enterEngine(core, "webgpu");
  const { description, vendor, architecture } = adapter.info;
  const device = description || `${vendor} ${architecture}`.trim() || "unnamed device";
  return createCoreEngine(core, {
    name: "webgpu",
    description: `TensorFlow.js ${core.version_core}, webgpu (${device})`,
    deviceMemory: "device",
    synchronous: false,
    copiesUploads: false,
    copiesReads: false,
    overrides: WEBGPU_OVERRIDES,
    takeFailure: watchFailures(core.backend() as unknown as DawnBackend),
  });
}

/** As much of TensorFlow.js's WebGPU backend as is looked into. */
interface DawnBackend {
  readonly device: {
    addEventListener(
      type: "uncapturederror",
      listener: (event: { readonly error: { readonly message: string } }) => void,
    ): void;
    readonly lost: Promise<{ readonly message: string }>;
  };
}

/** Errors of the device arrive by event, long after the calls that made them. */
function watchFailures({ device }: DawnBackend): () => string | undefined {
  let failure: string | undefined;
  device.addEventListener("uncapturederror", ({ error }) => {
    failure ??= error.message;
  });
  void device.lost.then(({ message }) => {
    failure ??= `the device was lost: ${message}`;
  });
  return () => {
    const taken = failure;
    failure = undefined;
    return taken;
  };
}
