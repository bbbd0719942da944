/**
 * NVIDIA's driver, asked before ONNX Runtime is: whether it is there, new enough, and how many devices it has. Without it
 * ONNX Runtime's own errors name a missing shared library of some depth, or nothing.
 */
import { BackendError } from "@diptych/core";
import { openKoffi } from "./native-ort.js";

/** What is asked of the driver's library; tests give their own. */
export interface CudaDriver {
  init(): number;
  /** 13000 for CUDA 13.0. */
  version(): number;
  deviceCount(): number;
}

/** CUDA's version that the provider of `diptych setup cuda` is built for. */
const neededVersion = 13_000;
const neededDriver = "580";
const noDevice = 100;

/** Loads libcuda, null where there is none. */
async function loadDriver(): Promise<CudaDriver | null> {
  const koffi = await openKoffi();
  const name = process.platform === "win32" ? "nvcuda.dll" : "libcuda.so.1";
  let library: ReturnType<typeof koffi.load>;
  try {
    library = koffi.load(name);
  } catch {
    return null;
  }
  const init = library.func("cuInit", "int", ["uint32_t"]);
  const number = koffi.out(koffi.pointer("int"));
  const count = library.func("cuDeviceGetCount", "int", [number]);
  const version = library.func("cuDriverGetVersion", "int", [number]);
  const take = (call: (out: [number | null]) => number): number => {
    const out: [number | null] = [null];
    const status = call(out);
    return status === 0 ? (out[0] ?? 0) : 0;
  };
  return {
    init: () => init(0) as number,
    version: () => take((out) => version(out) as number),
    deviceCount: () => take((out) => count(out) as number),
  };
}

/** @throws BackendError without a driver, with one that is too old, or without the device. */
export async function checkCudaDevice(
  device: number,
  load: () => Promise<CudaDriver | null> = loadDriver,
): Promise<void> {
  const driver = await load();
  if (driver === null) {
    throw refused(
      "NVIDIA's driver: expected libcuda to load, got none",
      `Install NVIDIA's driver ${neededDriver} or newer, or choose the provider cpu or webgpu.`,
    );
  }
  const status = driver.init();
  if (status !== 0 && status !== noDevice) {
    throw refused(
      `NVIDIA's driver: expected it to start, got CUDA error ${status}`,
      "See what `nvidia-smi` says; a driver that was updated needs a restart of the machine.",
    );
  }
  const count = status === noDevice ? 0 : driver.deviceCount();
  if (count === 0) {
    throw refused(
      "device: expected an NVIDIA GPU, got none",
      "See what `nvidia-smi` lists (CUDA_VISIBLE_DEVICES hides devices), or choose the provider cpu or webgpu.",
    );
  }
  if (device >= count) {
    throw refused(
      `device: expected one of 0 to ${count - 1}, got ${device}`,
      "Choose another `device`.",
    );
  }
  const version = driver.version();
  if (version < neededVersion) {
    throw refused(
      `NVIDIA's driver: expected one for CUDA ${neededVersion / 1000}, got one for ${printVersion(version)}`,
      `Install driver ${neededDriver} or newer.`,
    );
  }
}

function printVersion(version: number): string {
  return `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}`;
}

function refused(what: string, remedy: string): BackendError {
  return new BackendError(`backend-onnx/cuda: ${what}. ${remedy}`);
}
