/** What ONNX Runtime's CUDA provider asks of the machine beside itself, and what of it is there. Says, never fails. */
import { readFile } from "node:fs/promises";
import { runTool, ToolError } from "./run-tool.js";

/** The release of NVIDIA's driver from which on CUDA 13 runs. */
const oldestDriver = 580;

/** Library, what it is, and the distribution on the Python package index that carries it. */
const libraries: readonly (readonly [string, string, string])[] = [
  ["libcudart.so.13", "CUDA 13 runtime", "nvidia-cuda-runtime"],
  ["libcublas.so.13", "cuBLAS", "nvidia-cublas"],
  ["libcublasLt.so.13", "cuBLAS", "nvidia-cublas"],
  ["libcurand.so.10", "cuRAND", "nvidia-curand"],
  ["libcudnn.so.9", "cuDNN 9, for convolutions", "nvidia-cudnn-cu13"],
  ["libcufft.so.12", "cuFFT", "nvidia-cufft"],
];

const loadScript = `
import ctypes, sys
for name in sys.argv[1:]:
    try:
        ctypes.CDLL(name)
        print(name)
    except OSError:
        pass
`;

/** Lines about the driver and each library: found, or missing and what brings it. */
export async function describeCudaNeeds(signal?: AbortSignal): Promise<readonly string[]> {
  const names = ["libcuda.so.1", ...libraries.map(([name]) => name)];
  const found = new Set(await findLoadable(names, signal));
  const missing = libraries.filter(([name]) => !found.has(name));
  const lines = [
    "CUDA also needs, on the machine that runs it:",
    `  ${describeDriver(await readDriver(), found.has("libcuda.so.1"))}`,
    ...libraries.map(
      ([name, what]) => `  ${name} (${what}): ${found.has(name) ? "found" : "missing"}`,
    ),
  ];
  if (missing.length === 0) return lines;
  const distributions = [...new Set(missing.map(([, , distribution]) => distribution))];
  lines.push(
    `  Missing libraries come with NVIDIA's CUDA 13 packages of your system, or by \`python3 -m pip install ` +
      `${distributions.join(" ")}\` with LD_LIBRARY_PATH set to their lib folders.`,
  );
  return lines;
}

function describeDriver(driver: string | null, loadable: boolean): string {
  const need = `NVIDIA's driver ${oldestDriver} or newer`;
  if (driver === null) return `${need}: ${loadable ? "found, version unknown" : "missing"}`;
  const enough = Number.parseInt(driver, 10) >= oldestDriver;
  return `${need}: ${driver}${enough ? "" : ", too old"}`;
}

async function readDriver(): Promise<string | null> {
  const text = await readFile("/proc/driver/nvidia/version", "utf8").catch(() => "");
  return /\s(\d{3,}\.\d+(?:\.\d+)?)\s/.exec(text)?.[1] ?? null;
}

async function findLoadable(names: readonly string[], signal?: AbortSignal): Promise<string[]> {
  try {
    const { stdout } = await runTool("python3", { args: ["-c", loadScript, ...names], signal });
    return stdout.split("\n");
  } catch (error) {
    if (error instanceof ToolError) return [];
    throw error;
  }
}
