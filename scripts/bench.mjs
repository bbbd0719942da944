// `npm run bench [-- NAME…]`: runs benchmarks/NAME.bench.mjs (all without names), each in a process of
// its own so that memory figures do not mix, and writes bench-results/NAME.json.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { buildPackages, root } from "./build-and-run.mjs";

const folder = path.join(root, "benchmarks");
const suffix = ".bench.mjs";

const [first, ...rest] = process.argv.slice(2);
if (first === "--one") {
  await measure(rest[0]);
} else {
  measureAll(process.argv.slice(2));
}

function measureAll(wanted) {
  const known = readdirSync(folder)
    .filter((file) => file.endsWith(suffix))
    .map((file) => file.slice(0, -suffix.length))
    .sort();
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    console.error(
      `bench: name: expected one of ${known.join(", ")}, got ${unknown.join(", ")}. Leave the names out to run all.`,
    );
    process.exit(2);
  }
  buildPackages();
  const failed = (wanted.length > 0 ? wanted : known).filter((name) => {
    console.log(`\n== ${name}`);
    const run = spawnSync(
      process.execPath,
      ["--expose-gc", fileURLToPath(import.meta.url), "--one", name],
      { cwd: root, stdio: "inherit" },
    );
    return run.status !== 0;
  });
  if (failed.length > 0) {
    console.error(`\nbench: failed: ${failed.join(", ")}`);
    process.exit(1);
  }
}

/** A benchmark exports `run(): Promise<figures>`; figures are plain data. */
async function measure(name) {
  const { run } = await import(pathToFileURL(path.join(folder, name + suffix)).href);
  const started = new Date();
  const figures = await run();
  const result = {
    name,
    started: started.toISOString(),
    seconds: (Date.now() - started.getTime()) / 1000,
    figures,
    machine: machine(),
    versions: versions(),
  };
  mkdirSync(path.join(root, "bench-results"), { recursive: true });
  const file = path.join("bench-results", `${name}.json`);
  writeFileSync(path.join(root, file), `${JSON.stringify(result, null, 2)}\n`);
  console.log(JSON.stringify(figures, null, 2));
  console.log(`written: ${file}`);
}

function machine() {
  const cpus = os.cpus();
  return {
    cpu: cpus[0]?.model ?? "unknown",
    cores: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    platform: `${os.platform()} ${os.arch()}`,
  };
}

function versions() {
  const require = createRequire(path.join(root, "packages/backend-onnx/package.json"));
  const versionOf = (library) =>
    JSON.parse(
      readFileSync(path.join(path.dirname(require.resolve(library)), "..", "package.json")),
    ).version;
  let commit = null;
  try {
    commit = execFileSync("git", ["describe", "--always", "--dirty"], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    // A copy without git history: the figures are still worth keeping.
  }
  return {
    diptych: JSON.parse(readFileSync(path.join(root, "packages/diptych/package.json"))).version,
    node: process.versions.node,
    onnxruntime: versionOf("onnxruntime-node"),
    commit,
  };
}
