/** Chooses the library and the adapter. */
import { BackendError } from "@diptych/core";
import { createBindingRuntime } from "./binding-runtime.js";
import { createCapiRuntime } from "./capi-runtime.js";
import { findCudaLibrary } from "./cuda-library.js";
import { checkCudaDevice } from "./cuda-driver.js";
import { currentSurroundings, findOrtLibrary, isLibraryNamed } from "./library-path.js";
import type { OrtRuntime, OrtRuntimeOptions } from "./ort-runtime.js";
import type { DeviceProvider, OrtProvider } from "./provider.js";

/** See `createOrtRuntime`. */
export async function createRuntime(options: OrtRuntimeOptions): Promise<OrtRuntime> {
  const { adapter = "auto", provider = CPU, library, log = warn } = options;
  if (provider.name !== "cpu") return createDeviceRuntime(provider, options);
  if (adapter === "binding") return createBindingRuntime(log);
  const surroundings = currentSurroundings();
  const open = async (): Promise<OrtRuntime> =>
    createCapiRuntime({ library: findOrtLibrary(library, surroundings), provider, log });
  // Who names a library wants that one, or to hear why not.
  if (adapter === "capi" || isLibraryNamed(library, surroundings.environment)) return open();
  return open().catch((reason: unknown) => fallBack(reason, log));
}

const CPU: OrtProvider = Object.freeze({ name: "cpu" });

/** Nothing stands in for a device that was asked for. */
async function createDeviceRuntime(
  provider: DeviceProvider,
  { adapter, library, log = warn }: OrtRuntimeOptions,
): Promise<OrtRuntime> {
  if (adapter === "binding") {
    throw new BackendError(
      `backend-onnx/createRuntime: adapter: expected "capi" for the provider ${provider.name}, got "binding", ` +
        `which cannot keep tensors on a device. Leave \`adapter\` out.`,
    );
  }
  const surroundings = currentSurroundings();
  if (provider.name === "webgpu")
    return createCapiRuntime({ library: findOrtLibrary(library, surroundings), provider, log });
  const found = await findCudaLibrary(library, surroundings);
  await checkCudaDevice(provider.device);
  return createCapiRuntime({ library: found, provider, log });
}

function warn(line: string): void {
  process.emitWarning(line);
}

async function fallBack(reason: unknown, log: (line: string) => void): Promise<OrtRuntime> {
  const why = reason instanceof Error ? reason.message : String(reason);
  const runtime = await createBindingRuntime(log);
  log(
    `backend-onnx: using onnxruntime-node's own binding, which copies every output and blocks during a run, because: ${why}`,
  );
  return runtime;
}
