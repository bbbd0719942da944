/** Graphics cards and the libraries that reach them: NVIDIA's driver, CUDA, Vulkan's drivers, Metal. */
import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

export interface GpuFacts {
  /** By NVIDIA's own tool. */
  readonly cards: readonly {
    readonly name: string;
    readonly driver: string;
    readonly memory: string;
  }[];
  /** Libraries that the loader finds, e.g. `libcuda.so.1`. */
  readonly libraries: readonly string[];
  /** Descriptions of Vulkan drivers, which WebGPU needs on Linux; those of `VK_ICD_FILENAMES` alone where it is set. */
  readonly vulkanDrivers: readonly string[];
  /** macOS: WebGPU runs on Metal. */
  readonly metal: boolean;
}

const LIBRARY = /\b(lib(?:cuda|cudart|cublas|cublasLt|cudnn|cufft|curand|vulkan)\.so\.\d+)\b/g;
const VULKAN_FOLDERS = [
  "/usr/share/vulkan/icd.d",
  "/etc/vulkan/icd.d",
  "/usr/local/share/vulkan/icd.d",
];

export async function findGpuFacts(): Promise<GpuFacts> {
  const [cards, libraries, vulkanDrivers] = await Promise.all([
    nvidiaCards(),
    findLibraries(),
    findVulkanDrivers(),
  ]);
  return { cards, libraries, vulkanDrivers, metal: process.platform === "darwin" };
}

/** What a program prints; nothing where it is not there or fails. */
async function output(command: string, ...args: string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(command, args, { timeout: 10_000 });
    return stdout;
  } catch {
    return "";
  }
}

async function nvidiaCards(): Promise<GpuFacts["cards"]> {
  const query = "--query-gpu=name,driver_version,memory.total";
  return parseCards(await output("nvidia-smi", query, "--format=csv,noheader"));
}

/** Lines such as `NVIDIA H100 80GB HBM3, 580.95.05, 81559 MiB`. */
export function parseCards(text: string): GpuFacts["cards"] {
  return text
    .split("\n")
    .map((line) => line.split(",").map((cell) => cell.trim()))
    .filter((cells) => cells.length === 3)
    .map(([name = "", driver = "", memory = ""]) => ({ name, driver, memory }));
}

async function findLibraries(): Promise<readonly string[]> {
  if (process.platform !== "linux") return [];
  const folders = (process.env["LD_LIBRARY_PATH"] ?? "").split(delimiter).filter(Boolean);
  const listed = await Promise.all(folders.map((folder) => readdir(folder).catch(() => [])));
  const cached = (await output("ldconfig", "-p")) || (await output("/sbin/ldconfig", "-p"));
  const names = [...cached.matchAll(LIBRARY), ...listed.flat().join("\n").matchAll(LIBRARY)];
  return [...new Set(names.map(([, name = ""]) => name))].sort();
}

async function findVulkanDrivers(): Promise<readonly string[]> {
  const chosen = process.env["VK_DRIVER_FILES"] ?? process.env["VK_ICD_FILENAMES"];
  if (chosen) return chosen.split(delimiter).filter(Boolean);
  const found = await Promise.all(
    VULKAN_FOLDERS.map(async (folder) => {
      const names = await readdir(folder).catch((): string[] => []);
      return names.filter((name) => name.endsWith(".json")).map((name) => join(folder, name));
    }),
  );
  return found.flat();
}
