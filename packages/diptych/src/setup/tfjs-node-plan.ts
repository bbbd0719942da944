/**
 * `@tensorflow/tfjs-node` built against the libtensorflow of a TensorFlow wheel: the package's own installer fetches
 * a library from a server that is often out of reach, and the C interface has stayed the same since.
 */
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BackendError } from "@diptych/core";
import { unpackWheel } from "./fetch-wheels.js";
import {
  TENSORFLOW_CPU,
  TENSORFLOW_CUDA,
  TENSORFLOW_GPU,
  type PinnedWheel,
} from "./pinned-wheels.js";
import { CXX, MAKE, NPM, PIP, PYTHON } from "./required-tools.js";
import { runTool, ToolError } from "./run-tool.js";
import type { SetupPlan, SetupWorkspace } from "./setup-plan.js";
import { checkTfjsNode } from "./tfjs-node-check.js";

/** A package of the npm registry, and what it must hash to. */
export interface PinnedPackage {
  readonly name: string;
  readonly version: string;
  /** What npm is asked for: `name@version`, or a file. */
  readonly spec: string;
  /** As in a lock file; checked by us as well as by npm. */
  readonly integrity: string;
}

const tfjsVersion = "4.22.0";

const cpuPackage: PinnedPackage = {
  name: "@tensorflow/tfjs-node",
  version: tfjsVersion,
  spec: `@tensorflow/tfjs-node@${tfjsVersion}`,
  integrity:
    "sha512-uHrXeUlfgkMxTZqHkESSV7zSdKdV0LlsBeblqkuKU9nnfxB1pC6DtoyYVaLxznzZy7WQSegjcohxxCjAf6Dc7w==",
};

const gpuPackage: PinnedPackage = {
  name: "@tensorflow/tfjs-node-gpu",
  version: tfjsVersion,
  spec: `@tensorflow/tfjs-node-gpu@${tfjsVersion}`,
  integrity:
    "sha512-p//NN6DGiN4hInUmIkRffaFVMcdTREUMjPyjW04J7OXvB2zBlQimj61eFKSgRrH3f5TnOfKzb0n56he/B6a4bw==",
};

export interface TfjsNodePlanOptions {
  readonly gpu: boolean;
  /** Another package than the published one. */
  readonly package?: PinnedPackage;
  /** Other wheels: the first holds libtensorflow, the others NVIDIA's libraries. */
  readonly wheels?: readonly PinnedWheel[];
}

const gigabyte = 1e9;

/** Two libraries, and the headers that the addon includes. */
const tensorflowFiles = [
  "tensorflow/libtensorflow_(cc|framework)\\.so\\.2",
  "tensorflow/include/tensorflow/c/[^/]+\\.h",
  "tensorflow/include/tensorflow/c/eager/c_api\\.h",
  "tensorflow/include/.*/platform/ctstring(_internal)?\\.h",
  "tensorflow/include/.*tsl/c/tsl_status\\.h",
];

/** Libraries, and what compiles PTX for cards that the wheel has no kernels for. */
const nvidiaFiles = [
  "nvidia/[^/]+/lib/[^/]+\\.so[^/]*",
  "nvidia/cuda_nvcc/bin/ptxas",
  "nvidia/cuda_nvcc/nvvm/libdevice/.*",
];

export function createTfjsNodePlan(options: TfjsNodePlanOptions): SetupPlan {
  const { gpu } = options;
  const kind = gpu ? "tfjs-node-gpu" : "tfjs-node";
  const npmPackage = options.package ?? (gpu ? gpuPackage : cpuPackage);
  const wheels = options.wheels ?? (gpu ? [TENSORFLOW_GPU, ...TENSORFLOW_CUDA] : [TENSORFLOW_CPU]);
  return {
    kind,
    version: npmPackage.version,
    folderName: `${kind}-${npmPackage.version}`,
    wheels,
    alsoFetches: `about 60 MB from the npm registry (${npmPackage.name} ${npmPackage.version} and what it needs)`,
    tools: [PYTHON, PIP, NPM, CXX, MAKE],
    diskBytes: options.wheels ? 0 : (gpu ? 9 : 1.8) * gigabyte,
    elsewhere:
      `Where the machine can download it, the package's own installer does: \`npm install ${npmPackage.name}\` in your ` +
      "project (with install scripts on); the tfjs backend finds it there.",
    fill: (workspace) => fill(workspace, npmPackage, wheels),
    check: (folder, signal) => checkTfjsNode(folder, npmPackage.name, signal),
    notes: () => Promise.resolve([]),
  };
}

async function fill(
  workspace: SetupWorkspace,
  npmPackage: PinnedPackage,
  wheels: readonly PinnedWheel[],
): Promise<readonly string[]> {
  const root = join("node_modules", npmPackage.name);
  await workspace.step("npm", () => installPackage(workspace, npmPackage));
  const target = join(workspace.folder, root);
  for (const part of ["deps", "lib", "build"]) {
    await rm(join(target, part), { recursive: true, force: true });
  }
  for (const [index, wheel] of wheels.entries()) {
    const path = await workspace.fetch(wheel);
    await workspace.step("unpack", () =>
      index === 0 ? placeTensorflow(workspace, path, target) : placeNvidia(workspace, path, target),
    );
    await rm(path);
  }
  await workspace.step("compile", () => compileAddon(workspace, root));
  const libraries = await readdir(join(target, "deps", "lib"));
  return [
    ...libraries.filter((name) => name.endsWith(".so.2")).map((name) => `${root}/deps/lib/${name}`),
    ...(await findLibraries(join(target, "deps", "nvidia"), `${root}/deps/nvidia`)),
    `${root}/lib/napi-v8/tfjs_binding.node`,
    `${root}/package.json`,
  ];
}

async function findLibraries(folder: string, prefix: string): Promise<readonly string[]> {
  if (!existsSync(folder)) return [];
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => /\.so[^/]*$/.test(name)).map((name) => `${prefix}/${name}`);
}

const buildScript = "build-addon";

async function installPackage(
  { folder, signal }: SetupWorkspace,
  { name, spec, version, integrity }: PinnedPackage,
): Promise<void> {
  // npm's own node-gyp is on the path of its scripts alone, wherever npm lies.
  const scripts = { [buildScript]: "node-gyp rebuild" };
  const manifest = { name: "diptych-native", version: "0.0.0", private: true, scripts };
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  await runTool("npm", {
    args: ["install", spec, "--prefix", folder, "--save-exact", ...quiet],
    cwd: folder,
    signal,
  }).catch((error: unknown) => {
    throw toSetupError(
      error,
      `${name} ${version}: expected npm to install it (tried \`npm install ${spec}\` with the registry that npm is configured for)`,
    );
  });
  const lock = JSON.parse(
    await readFile(join(folder, "node_modules", ".package-lock.json"), "utf8"),
  ) as { packages: Record<string, { integrity?: string } | undefined> };
  const got = lock.packages[`node_modules/${name}`]?.integrity;
  if (got === integrity) return;
  throw new BackendError(
    `diptych/setUpNative: ${name} ${version}: expected integrity ${integrity}, got ${got ?? "none"}. ` +
      "The registry served another package: try again, or ask whoever runs the mirror. Nothing was installed.",
  );
}

async function placeTensorflow(
  { scratch, signal }: SetupWorkspace,
  wheel: string,
  target: string,
): Promise<void> {
  await unpackWheel(wheel, scratch, { patterns: tensorflowFiles, signal });
  const [from, to] = [join(scratch, "tensorflow"), join(target, "deps")];
  await mkdir(join(to, "lib"), { recursive: true });
  await rename(join(from, "include"), join(to, "include"));
  for (const [library, link] of [
    ["libtensorflow_cc.so.2", "libtensorflow.so"],
    ["libtensorflow_framework.so.2", "libtensorflow_framework.so"],
  ] as const) {
    await strip(join(from, library), signal);
    await rename(join(from, library), join(to, "lib", library));
    // The linker asks for these names; the addon then refers to the libraries by their own.
    await symlink(library, join(to, "lib", link));
  }
}

/** Symbols that only a debugger reads are a quarter of the library; where binutils is missing they stay. */
async function strip(path: string, signal: AbortSignal | undefined): Promise<void> {
  await runTool("strip", { args: ["--strip-all", path], signal }).catch((error: unknown) => {
    if (!(error instanceof ToolError)) throw error;
  });
}

/** libtensorflow looks for `../nvidia/NAME/lib` beside its own folder, as in Python's site-packages. */
async function placeNvidia(
  { scratch, signal }: SetupWorkspace,
  wheel: string,
  target: string,
): Promise<void> {
  await unpackWheel(wheel, join(target, "deps"), { patterns: nvidiaFiles, signal });
  const ptxas = join(target, "deps", "nvidia", "cuda_nvcc", "bin", "ptxas");
  if (existsSync(ptxas)) await chmod(ptxas, 0o755);
  await rm(join(scratch, "nvidia"), { recursive: true, force: true });
}

async function compileAddon({ folder, signal }: SetupWorkspace, root: string): Promise<void> {
  const target = join(folder, root);
  // Headers that came with this Node; otherwise node-gyp fetches them.
  const headers = dirname(dirname(process.execPath));
  const nodedir = existsSync(join(headers, "include", "node", "node_api.h"))
    ? [`--nodedir=${headers}`]
    : [];
  const parts = ["--module_name=tfjs_binding", "--napi_build_version=8"];
  await mkdir(join(target, "lib", "napi-v8"), { recursive: true });
  await runTool("npm", {
    args: [
      ...["run", buildScript, "--prefix", folder, "--loglevel=error", "--"],
      ...["--directory", target, "--loglevel=error", ...nodedir, ...parts],
      `--module_path=${join(target, "lib", "napi-v8")}`,
    ],
    cwd: folder,
    signal,
  }).catch((error: unknown) => {
    throw toSetupError(error, "addon: expected node-gyp to compile it");
  });
  await rm(join(target, "build"), { recursive: true, force: true });
}

function toSetupError(error: unknown, expectation: string): unknown {
  if (!(error instanceof ToolError)) return error;
  return new BackendError(
    `diptych/setUpNative: ${expectation}, got: ${error.message}.\n${error.lastLines}\n` +
      "Nothing was installed.",
  );
}
