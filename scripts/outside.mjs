// `npm run test:outside`: packs every package, begins a plugin in an empty folder elsewhere, installs and tests it there as
// a stranger would, and compares its method with CLIP in tiny form.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { root } from "./build-and-run.mjs";

const folder = mkdtempSync(path.join(tmpdir(), "diptych-outside-"));
const packages = path.join(folder, "packages");
const plugin = path.join(folder, "plugin");

function run(cwd, command, ...args) {
  console.log(`$ ${[path.basename(command), ...args].join(" ")}`);
  const { status } = spawnSync(command, args, { cwd, stdio: "inherit" });
  if (status === 0) return;
  console.error(`${command} ended with ${status}; the folder is left for a look: ${folder}`);
  process.exit(1);
}

run(root, process.execPath, path.join(root, "scripts", "pack.mjs"), packages);
const diptych = path.join(root, "packages", "cli", "bin", "diptych.js");
run(
  folder,
  process.execPath,
  diptych,
  "new",
  "plugin",
  "outside",
  "--out",
  plugin,
  "--packages",
  packages,
);
run(plugin, "npm", "install", "--prefer-offline", "--no-audit", "--no-fund");
for (const name of ["cli", "core", "testing"]) {
  if (existsSync(path.join(plugin, "node_modules", "@diptych", name, "LICENSE"))) continue;
  console.error(`expected @diptych/${name} to come with its LICENSE, got none in ${plugin}`);
  process.exit(1);
}
run(plugin, "npm", "test");
run(plugin, "npm", "run", "build");
run(plugin, "npm", "run", "compare:tiny");
for (const file of ["comparison.json", "report.html", "report.md", "report.csv"]) {
  if (existsSync(path.join(plugin, "comparison", "tiny", file))) continue;
  console.error(`expected the comparison to write ${file}, got none in ${plugin}`);
  process.exit(1);
}
rmSync(folder, { recursive: true, force: true });
