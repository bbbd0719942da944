/** ONNX Runtime with its CUDA provider out of the wheel onnxruntime-gpu: three files of one release, side by side. */
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { checkLibraryPair } from "@diptych/backend-onnx";
import { checkOrtLibrary } from "./cuda-check.js";
import { describeCudaNeeds } from "./cuda-needs.js";
import { unpackWheel } from "./fetch-wheels.js";
import { ONNXRUNTIME_GPU, type PinnedWheel } from "./pinned-wheels.js";
import { PIP, PYTHON } from "./required-tools.js";
import type { SetupPlan, SetupWorkspace } from "./setup-plan.js";

export interface CudaPlanOptions {
  /** Another wheel than the published one. */
  readonly wheel?: PinnedWheel;
  /** Runs the library at a path; replaced where the wheel holds none that runs. */
  readonly run?: (library: string) => Promise<void>;
}

const provider = "libonnxruntime_providers_cuda.so";

export function createCudaPlan(options: CudaPlanOptions = {}): SetupPlan {
  const { wheel = ONNXRUNTIME_GPU, run = checkOrtLibrary } = options;
  const library = `libonnxruntime.so.${wheel.version}`;
  const names = [library, "libonnxruntime_providers_shared.so", provider];
  return {
    kind: "cuda",
    version: wheel.version,
    folderName: `onnxruntime-cuda-${wheel.version}`,
    wheels: [wheel],
    alsoFetches: "",
    tools: [PYTHON, PIP],
    diskBytes: options.wheel ? 0 : 1e9,
    elsewhere:
      "Point DIPTYCH_ORT_LIBRARY at a libonnxruntime with a CUDA provider of the same release beside it.",
    fill: (workspace) => fill(workspace, wheel, names),
    check: async (folder) => {
      const version = await checkLibraryPair(join(folder, library), join(folder, provider));
      await run(join(folder, library));
      return `ONNX Runtime ${version} with its CUDA provider; the library runs on the CPU`;
    },
    notes: (_, signal) => describeCudaNeeds(signal),
  };
}

async function fill(
  workspace: SetupWorkspace,
  wheel: PinnedWheel,
  names: readonly string[],
): Promise<readonly string[]> {
  const { folder, scratch, signal } = workspace;
  const path = await workspace.fetch(wheel);
  const patterns = names.map((name) => `onnxruntime/capi/${name.replaceAll(".", "\\.")}`);
  await workspace.step("unpack", () => unpackWheel(path, scratch, { patterns, signal }));
  for (const name of names) {
    await rename(join(scratch, "onnxruntime", "capi", name), join(folder, name));
  }
  return names;
}
