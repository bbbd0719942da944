/**
 * Finds tfjs-node: the user's own where his project has one that works, else the one that `diptych setup` built. Loading
 * it registers its engine with TensorFlow.js, of which a process has one.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { BackendError } from "@diptych/core";
import { nativeFolder } from "@diptych/core/host";
import type { TfBinding } from "./tf-binding.js";

/** What is used of tfjs-node beside its addon. */
export interface TfjsNode {
  readonly binding: TfBinding;
  readonly isGpu: boolean;
  readonly version: { readonly tfjs: string; readonly tensorflow: string };
}

interface LoadedPackage {
  readonly version: { readonly "tfjs-core": string };
  ready(): Promise<void>;
  setBackend(name: string): Promise<boolean>;
  findBackend(name: string): { readonly binding: TfBinding; readonly isUsingGpuDevice: boolean };
}

/** The release that the set-up builds. */
const builtVersion = "4.22.0";

interface Source {
  readonly from: string;
  readonly what: string;
}

/** Where tfjs-node may lie, first choice first. */
function sources(gpu: boolean): readonly Source[] {
  const kind = gpu ? "tfjs-node-gpu" : "tfjs-node";
  const project = { from: join(process.cwd(), "package.json"), what: "your project" };
  const built = join(nativeFolder(), `${kind}-${builtVersion}`);
  const isWhole = existsSync(join(built, "setup.json"));
  return [project, ...(isWhole ? [{ from: join(built, "package.json"), what: built }] : [])];
}

/**
 * Loads tfjs-node, or tfjs-node-gpu.
 * @throws BackendError saying what was tried and which command brings it.
 */
export async function loadTfjsNode(gpu: boolean): Promise<TfjsNode> {
  const name = gpu ? "@tensorflow/tfjs-node-gpu" : "@tensorflow/tfjs-node";
  const failures: string[] = [];
  silence();
  for (const { from, what } of sources(gpu)) {
    const require = createRequire(from);
    try {
      require.resolve(name);
    } catch {
      continue;
    }
    try {
      mendUtil(require);
      return await describePackage(require(name) as LoadedPackage);
    } catch (error) {
      failures.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const setup = `diptych setup ${gpu ? "tfjs-node-gpu" : "tfjs-node"}`;
  throw new BackendError(
    `backend-tfjs/engine ${gpu ? "node-gpu" : "node"}: ${name}: expected it in your project or in ${nativeFolder()}, got ` +
      `${failures.length === 0 ? "neither" : failures.join("; ")}. Run \`${setup}\` (in this repository \`npm run ${setup.replace("diptych setup ", "setup:")}\`).`,
  );
}

async function describePackage(tf: LoadedPackage): Promise<TfjsNode> {
  await tf.ready();
  const { binding, isUsingGpuDevice } = tf.findBackend("tensorflow");
  return {
    binding,
    isGpu: isUsingGpuDevice,
    version: { tfjs: tf.version["tfjs-core"], tensorflow: binding.TF_Version },
  };
}

/** TensorFlow writes a line about its instructions to the terminal unless told not to. */
function silence(): void {
  process.env["TF_CPP_MIN_LOG_LEVEL"] ??= "1";
}

/** Node 23 took away two functions that tfjs-node 4.22 calls. */
function mendUtil(require: NodeJS.Require): void {
  const util = require("node:util") as {
    isNullOrUndefined?: (x: unknown) => boolean;
    isArray?: (x: unknown) => boolean;
  };
  util.isNullOrUndefined ??= (x) => x === null || x === undefined;
  util.isArray ??= Array.isArray;
}
