// Checks what eslint cannot see of the direction of dependencies: package manifests, TypeScript
// references and file names. Imports themselves are checked by eslint (eslint.config.mjs).
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const packages = fileURLToPath(new URL("../packages", import.meta.url));
const conditions = ["diptych-source", "types", "default"];
const uses = {
  core: [],
  nn: ["core"],
  testing: ["core"],
  plugin: ["core", "nn"],
  facade: ["core", "nn", "plugin"],
  benchmark: ["core", "facade"],
  cli: ["core", "facade", "benchmark"],
};
const owners = {
  tsyringe: "core",
  "reflect-metadata": "core",
  "onnxruntime-node": "backend-onnx",
  koffi: "backend-onnx",
  "@tensorflow/tfjs-core": "backend-tfjs",
  "@tensorflow/tfjs-backend-cpu": "backend-tfjs",
  "@tensorflow/tfjs-backend-wasm": "backend-tfjs",
  "@tensorflow/tfjs-backend-webgpu": "backend-tfjs",
  webgpu: "backend-tfjs",
  sharp: "data",
};
const vagueNames = /(^|-)(utils?|helpers?|common|misc|managers?)(\.test)?\.ts$/;

const readJson = (...parts) => JSON.parse(readFileSync(path.join(packages, ...parts), "utf8"));
const folders = readdirSync(packages).sort();
const manifests = new Map(folders.map((folder) => [folder, readJson(folder, "package.json")]));
const folderOf = new Map([...manifests].map(([folder, { name }]) => [name, folder]));
const typeOf = (folder) => manifests.get(folder).nx.tags[0].replace("type:", "");

const problems = [];
for (const [folder, manifest] of manifests) {
  checkDependencies(folder, manifest);
  checkReferences(folder, manifest);
  checkExports(folder, manifest);
  checkFileNames(folder);
}
if (problems.length > 0) {
  console.error(problems.join("\n"));
  process.exit(1);
}
console.log(`boundaries: ${folders.length} packages follow docs/architecture.md`);

function checkDependencies(folder, { dependencies = {}, devDependencies = {} }) {
  const allowed = uses[typeOf(folder)];
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    if (!/^\d+\.\d+\.\d+$/.test(version)) {
      problems.push(`${folder}/package.json: ${name}: expected an exact version, got ${version}.`);
    }
    if (owners[name] !== undefined && owners[name] !== folder) {
      problems.push(`${folder}/package.json: only ${owners[name]} may depend on ${name}.`);
    }
  }
  for (const name of Object.keys(dependencies)) {
    const target = folderOf.get(name);
    if (target !== undefined && !allowed.includes(typeOf(target))) {
      problems.push(
        `${folder}/package.json: a ${typeOf(folder)} may depend on ${allowed.join(", ") || "no package"}, got ${name} (${typeOf(target)}).`,
      );
    }
  }
}

function checkReferences(folder, { dependencies = {} }) {
  const referenced = (readJson(folder, "tsconfig.lib.json").references ?? [])
    .map((reference) => reference.path.split("/")[1])
    .sort();
  const declared = Object.keys(dependencies)
    .map((name) => folderOf.get(name))
    .filter((target) => target !== undefined)
    .sort();
  if (referenced.join() !== declared.join()) {
    problems.push(
      `${folder}/tsconfig.lib.json: references: expected ${declared.join(", ")} as in package.json, got ${referenced.join(", ")}.`,
    );
  }
}

function checkExports(folder, { exports }) {
  for (const [entry, target] of Object.entries(exports)) {
    if (typeof target === "string") continue;
    if (Object.keys(target).join() !== conditions.join()) {
      problems.push(
        `${folder}/package.json: exports["${entry}"]: expected conditions diptych-source, types, default in this order.`,
      );
    } else if (!existsSync(path.join(packages, folder, target["diptych-source"]))) {
      problems.push(
        `${folder}/package.json: exports["${entry}"]: no file ${target["diptych-source"]}.`,
      );
    }
  }
}

function checkFileNames(folder) {
  for (const file of readdirSync(path.join(packages, folder, "src"), { recursive: true })) {
    if (vagueNames.test(path.basename(file))) {
      problems.push(`${folder}/src/${file}: name the idea: not utils, helpers, common or manager.`);
    }
  }
}
