// `npm run setup:tfjs-node`, `setup:tfjs-node-gpu`, `setup:cuda`: compiles what is stale, then runs `diptych setup`.
// Arguments after `--` go to it.
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

const build = spawnSync(
  process.execPath,
  ["node_modules/typescript/bin/tsc", "-b", "tsconfig.build.json"],
  { cwd: root, stdio: "inherit" },
);
if (build.status !== 0) process.exit(build.status ?? 1);

const setup = spawn(
  process.execPath,
  ["packages/cli/bin/diptych.js", "setup", ...process.argv.slice(2)],
  { cwd: root, stdio: "inherit" },
);
// The terminal sends Ctrl-C to both processes; the child tidies up and then decides when this one ends.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => setup.kill("SIGTERM"));
setup.on("exit", (code) => {
  process.exitCode = code ?? 1;
});
