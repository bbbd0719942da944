// `npm run quickstart`: compiles what is stale, then trains on emoji and writes the report.
// Arguments after `--` go to `diptych quickstart`.
import { spawnSync, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

const build = spawnSync(
  process.execPath,
  ["node_modules/typescript/bin/tsc", "-b", "tsconfig.build.json"],
  { cwd: root, stdio: "inherit" },
);
if (build.status !== 0) process.exit(build.status ?? 1);

const training = spawn(
  process.execPath,
  ["packages/cli/bin/diptych.js", "quickstart", ...process.argv.slice(2)],
  { cwd: root, stdio: "inherit" },
);
// The terminal sends Ctrl-C to both processes; the child saves and then decides when this one ends.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => training.kill("SIGTERM"));
training.on("exit", (code) => {
  process.exitCode = code ?? 1;
});
