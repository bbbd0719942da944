/** Set-ups by the real pip, npm and node-gyp on small local files. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createCudaPlan } from "./cuda-plan.js";
import type { PinnedWheel } from "./pinned-wheels.js";
import { runSetup, type SetupOptions } from "./set-up-native.js";
import {
  findObstacle,
  tensorflowFiles,
  writePackage,
  writeWheel,
} from "./set-up-native.test-support.js";
import { createTfjsNodePlan } from "./tfjs-node-plan.js";

const obstacle = findObstacle();
const suffix = obstacle ? ` (skipped: ${obstacle})` : "";
const seconds = 1000;

let folder: string;
let wheels: string;
let native: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "diptych-setup-"));
  wheels = join(folder, "wheels");
  native = join(folder, "native");
  await mkdir(wheels);
  // pip, as a user without a network would configure it.
  vi.stubEnv("PIP_NO_INDEX", "1");
  vi.stubEnv("PIP_FIND_LINKS", wheels);
  vi.stubEnv("npm_config_offline", "true");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

function capture(): { readonly lines: string[]; readonly options: SetupOptions } {
  const lines: string[] = [];
  return { lines, options: { folder: native, log: (line) => lines.push(line) } };
}

const ortName = "onnxruntime-gpu";

function ortFiles(library: string, provider: string): Record<string, string> {
  return {
    [`onnxruntime/capi/libonnxruntime.so.${library}`]: `ELF\0VERS_${library}\0${library}\0`,
    "onnxruntime/capi/libonnxruntime_providers_shared.so": "shared",
    "onnxruntime/capi/libonnxruntime_providers_cuda.so": `ELF\0${provider}\0`,
    "onnxruntime/capi/libonnxruntime_providers_tensorrt.so": "not taken",
  };
}

async function ortWheel(provider = "1.31.1"): Promise<PinnedWheel> {
  return writeWheel(wheels, { name: ortName, version: "1.31.1" }, ortFiles("1.31.1", provider));
}

/** A plan whose library is not run: the stand-in is no library. */
function cudaPlan(wheel: PinnedWheel) {
  const ran: string[] = [];
  const run = (path: string): Promise<void> => Promise.resolve(void ran.push(path));
  return { ran, plan: createCudaPlan({ wheel, run }) };
}

describe.skipIf(obstacle)(`setup cuda${suffix}`, () => {
  it("takes three files, records them last, and leaves nothing else", async () => {
    const { ran, plan } = cudaPlan(await ortWheel());
    const { lines, options } = capture();
    const progress: number[] = [];
    const result = await runSetup(plan, {
      ...options,
      onProgress: (bytes) => progress.push(bytes),
    });
    expect(result).toMatchObject({
      status: "made",
      version: "1.31.1",
      folder: join(native, "onnxruntime-cuda-1.31.1"),
    });
    expect(await readdir(native)).toEqual(["onnxruntime-cuda-1.31.1"]);
    expect((await readdir(result.folder)).sort()).toEqual([
      "libonnxruntime.so.1.31.1",
      "libonnxruntime_providers_cuda.so",
      "libonnxruntime_providers_shared.so",
      "setup.json",
    ]);
    expect(ran).toHaveLength(1);
    expect(lines[0]).toMatch(/fetches .* \(onnxruntime-gpu 1\.31\.1\)\n {2}needs {4}python3, pip;/);
    expect(progress.at(-1)).toBe(plan.wheels[0]?.bytes);
    expect(result.notes.join("\n")).toMatch(/driver 580 or newer: .*\n.*libcudart\.so\.13/);
  });

  it("is there the second time without asking for anything, and is made anew by force", async () => {
    const { ran, plan } = cudaPlan(await ortWheel());
    const { options } = capture();
    await runSetup(plan, options);
    await rm(wheels, { recursive: true });
    expect(await runSetup(plan, options)).toMatchObject({ status: "present" });
    expect(ran).toHaveLength(1);
    await expect(runSetup(plan, { ...options, force: true })).rejects.toThrow(
      /onnxruntime-gpu 1\.31\.1: expected .* from the Python package index/s,
    );
    // What was there before the failure still is.
    expect(await runSetup(plan, options)).toMatchObject({ status: "present" });
  });

  it("says what is damaged and makes it anew", async () => {
    const { plan } = cudaPlan(await ortWheel());
    const { lines, options } = capture();
    const { folder: made } = await runSetup(plan, options);
    const file = join(made, "libonnxruntime_providers_shared.so");
    await writeFile(file, "Shared");
    expect(await runSetup(plan, options)).toMatchObject({ status: "made" });
    expect(lines.join("\n")).toMatch(
      /damaged: libonnxruntime_providers_shared\.so has other bytes/,
    );
    expect(await readFile(file, "utf8")).toBe("shared");
  });

  it("refuses a file with another hash than the pinned one, naming both", async () => {
    const wheel = await ortWheel();
    const pinned = "0".repeat(64);
    const { plan } = cudaPlan({ ...wheel, sha256: pinned });
    await expect(runSetup(plan, capture().options)).rejects.toThrow(
      new RegExp(`expected SHA-256 ${pinned}, got ${wheel.sha256}`),
    );
    expect(await readdir(native)).toEqual([]);
  });

  it("refuses a pair of two releases, naming both", async () => {
    const { plan } = cudaPlan(await ortWheel("1.30.0"));
    await expect(runSetup(plan, capture().options)).rejects.toThrow(
      /expected version 1\.31\.1, .*got 1\.30\.0/,
    );
    expect(await readdir(native)).toEqual([]);
  });

  it("says that the library does not run where it does not", async () => {
    const plan = createCudaPlan({ wheel: await ortWheel() });
    await expect(runSetup(plan, capture().options)).rejects.toThrow(/expected .* to load, got: /);
    expect(await readdir(native)).toEqual([]);
  });

  it("leaves nothing when it is interrupted, and removes what a killed run left", async () => {
    const { plan } = cudaPlan(await ortWheel());
    const { options } = capture();
    const controller = new AbortController();
    const log = (line: string): void => {
      if (line.includes("download")) controller.abort();
    };
    const stopped = runSetup(plan, { ...options, log, signal: controller.signal });
    await expect(stopped).rejects.toMatchObject({ name: "AbortError" });
    expect(await readdir(native)).toEqual([]);

    await mkdir(join(native, "onnxruntime-cuda-1.31.1.partial-4194304"));
    await mkdir(join(native, "onnxruntime-cuda-1.31.1.old-4194304"));
    await runSetup(plan, options);
    expect(await readdir(native)).toEqual(["onnxruntime-cuda-1.31.1"]);
  });

  it("names the tools that are missing and the packages that bring them", async () => {
    const { plan } = cudaPlan(await ortWheel());
    vi.stubEnv("PATH", join(folder, "empty"));
    await expect(runSetup(plan, capture().options)).rejects.toThrow(
      /got no python3, no pip\. On Debian or Ubuntu: `apt-get install python3 python3-pip`/,
    );
    expect(existsSync(native)).toBe(false);
  });

  it("refuses a disk that is too small before it fetches", async () => {
    const { plan } = cudaPlan(await ortWheel());
    const huge = { ...plan, diskBytes: 1e18 };
    await expect(runSetup(huge, capture().options)).rejects.toThrow(/disk: expected .* free under/);
    expect(await readdir(native)).toEqual([]);
  });
});

describe.skipIf(obstacle)(`setup tfjs-node${suffix}`, { timeout: 60 * seconds }, () => {
  async function plan(gpu: boolean, library = "2.18.1") {
    const name = gpu ? "@tensorflow/tfjs-node-gpu" : "@tensorflow/tfjs-node";
    const tensorflow = { name: gpu ? "tensorflow" : "tensorflow-cpu", version: "2.18.1" };
    const cublas = { name: "nvidia-cublas-cu12", version: "12.5.3.2" };
    const taken = [await writeWheel(wheels, tensorflow, tensorflowFiles(library))];
    if (gpu) {
      taken.push(await writeWheel(wheels, cublas, { "nvidia/cublas/lib/libcublas.so.12": "blas" }));
    }
    const npmPackage = await writePackage(folder, name);
    return { npmPackage, setup: createTfjsNodePlan({ gpu, package: npmPackage, wheels: taken }) };
  }

  it("installs the package, places the libraries, builds the addon and runs it", async () => {
    const { setup } = await plan(false);
    const { options } = capture();
    const result = await runSetup(setup, options);
    expect(result).toMatchObject({ status: "made", detail: "TensorFlow 2.18.1, on the CPU" });
    const root = join(result.folder, "node_modules", "@tensorflow", "tfjs-node");
    expect((await readdir(join(root, "deps", "lib"))).sort()).toEqual([
      "libtensorflow.so",
      "libtensorflow_cc.so.2",
      "libtensorflow_framework.so",
      "libtensorflow_framework.so.2",
    ]);
    expect(existsSync(join(root, "build"))).toBe(false);
    expect(existsSync(join(result.folder, ".scratch"))).toBe(false);
    expect(await runSetup(setup, options)).toMatchObject({ status: "present" });
  });

  it("lays NVIDIA's libraries where libtensorflow looks for them", async () => {
    const { setup } = await plan(true);
    const { folder: made } = await runSetup(setup, capture().options);
    const deps = join(made, "node_modules", "@tensorflow", "tfjs-node-gpu", "deps");
    expect(await readFile(join(deps, "nvidia", "cublas", "lib", "libcublas.so.12"), "utf8")).toBe(
      "blas",
    );
    const record = await readFile(join(made, "setup.json"), "utf8");
    expect(record).toContain("deps/nvidia/cublas/lib/libcublas.so.12");
  });

  it("refuses a build that computes something else, and another package", async () => {
    const broken = await plan(false, "broken");
    await expect(runSetup(broken.setup, capture().options)).rejects.toThrow(
      /matMul of ones: expected 4 on tensorflow, got 5/,
    );
    const other = { ...broken.npmPackage, integrity: "sha512-other" };
    const setup = createTfjsNodePlan({ gpu: false, package: other, wheels: broken.setup.wheels });
    await expect(runSetup(setup, capture().options)).rejects.toThrow(
      /expected integrity sha512-other, got sha512-/,
    );
    expect(await readdir(native)).toEqual([]);
  });
});

it.skipIf(process.platform !== "linux")(
  "stops pip, npm and compilers with the signal, together with what they started",
  async () => {
    const { runTool } = await import("./run-tool.js");
    const controller = new AbortController();
    const begun = performance.now();
    const args = ["-c", "sleep 30 & echo $! > pid; wait"];
    const running = runTool("sh", { args, cwd: folder, signal: controller.signal });
    await vi.waitFor(() => expect(existsSync(join(folder, "pid"))).toBe(true));
    controller.abort();
    await expect(running).rejects.toMatchObject({ name: "AbortError" });
    expect(performance.now() - begun).toBeLessThan(10 * seconds);
    const pid = Number(await readFile(join(folder, "pid"), "utf8"));
    await vi.waitFor(async () => expect(await isRunning(pid)).toBe(false));
  },
);

/** Whether a process runs; one that has ended may stay listed until its parent asks. */
async function isRunning(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "State:\tZ");
  return !/^State:\s*[ZX]/m.test(status);
}
