/** Small stand-ins for what set-ups fetch: wheels in a folder that pip searches, an npm package whose addon is a copied file. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { PinnedWheel } from "./pinned-wheels.js";
import type { PinnedPackage } from "./tfjs-node-plan.js";

/** Why set-ups cannot run here, or false: the tests' own need, said in their names. */
export function findObstacle(): string | false {
  if (process.platform !== "linux" || process.arch !== "x64") return "wheels are for Linux on x64";
  const missing = [["python3"], ["python3", "-m", "pip"], ["npm"], ["g++"], ["make"]].filter(
    ([command = "", ...args]) => {
      try {
        execFileSync(command, [...args, "--version"], { stdio: "ignore" });
        return false;
      } catch {
        return true;
      }
    },
  );
  return missing.length > 0 && `no ${missing.map((words) => words.join(" ")).join(", no ")}`;
}

const wheelScript = `
import sys, json, zipfile
path, files = sys.argv[1], json.loads(sys.argv[2])
with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
    for name, text in files.items():
        z.writestr(name, text)
`;

/** Writes a wheel of `files` (name → text) into `folder`. */
export async function writeWheel(
  folder: string,
  { name, version }: { readonly name: string; readonly version: string },
  files: Readonly<Record<string, string>>,
): Promise<PinnedWheel> {
  await mkdir(folder, { recursive: true });
  const stem = `${name.replaceAll("-", "_")}-${version}`;
  const info = `${stem}.dist-info`;
  const metadata = {
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
    [`${info}/WHEEL`]: "Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp311-cp311-any\n",
    [`${info}/RECORD`]: "",
  };
  const file = `${stem}-py3-none-any.whl`;
  const path = join(folder, file);
  execFileSync("python3", ["-c", wheelScript, path, JSON.stringify({ ...files, ...metadata })]);
  const bytes = await readFile(path);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { name, version, file, bytes: bytes.length, sha256 };
}

/** A package with the interface that the check asks for; what its addon holds comes from the unpacked library. */
const packageFiles: Readonly<Record<string, string>> = {
  "index.js": `
const { readFileSync } = require("node:fs");
const addon = readFileSync(require.resolve("./lib/napi-v8/tfjs_binding.node"), "utf8");
const library = readFileSync(require.resolve("./deps/lib/libtensorflow_cc.so.2"), "utf8");
if (!addon.includes("tensorflow/c/c_api.h")) throw new Error("the addon was not compiled");
const value = library.includes("broken") ? 5 : 4;
module.exports = {
  ones: (shape) => shape,
  matMul: () => ({ dataSync: () => [value] }),
  getBackend: () => "tensorflow",
  backend: () => ({ binding: { TF_Version: library.trim() }, isUsingGpuDevice: false }),
};
`,
  // A target of type none needs no compiler: what node-gyp would link is a header's copy.
  "binding.gyp": JSON.stringify({
    targets: [
      {
        target_name: "tfjs_binding",
        type: "none",
        actions: [
          {
            action_name: "addon",
            inputs: ["deps/include/tensorflow/c/c_api.h"],
            outputs: ["<(module_path)/<(module_name).node"],
            action: ["cp", "<@(_inputs)", "<@(_outputs)"],
          },
        ],
      },
    ],
  }),
};

/** Packs a package called `name` into `folder`. */
export async function writePackage(folder: string, name: string): Promise<PinnedPackage> {
  const version = "4.22.0";
  const source = join(folder, "source");
  const files = { ...packageFiles, "package.json": JSON.stringify({ name, version }) };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(source, path)), { recursive: true });
    await writeFile(join(source, path), text);
  }
  const printed = execFileSync("npm", ["pack", source, "--json", "--pack-destination", folder], {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [packed] = JSON.parse(printed) as [{ filename: string; integrity: string }];
  const spec = join(folder, packed.filename);
  return { name, version, spec, integrity: packed.integrity };
}

/** What a TensorFlow wheel holds, as far as a set-up takes it, and something that it leaves. */
export function tensorflowFiles(library: string): Record<string, string> {
  return {
    "tensorflow/libtensorflow_cc.so.2": library,
    "tensorflow/libtensorflow_framework.so.2": "framework",
    "tensorflow/include/tensorflow/c/c_api.h": "// tensorflow/c/c_api.h\n",
    "tensorflow/include/tensorflow/c/eager/c_api.h": "",
    "tensorflow/python/large.py": "x = 1\n",
  };
}
