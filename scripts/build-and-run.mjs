// What the commands of this repository share: compiling what is stale, and running the command line on it.
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** Compiles the packages; ends the process where that fails. */
export function buildPackages() {
  const build = spawnSync(
    process.execPath,
    ["node_modules/typescript/bin/tsc", "-b", "tsconfig.build.json"],
    { cwd: root, stdio: "inherit" },
  );
  if (build.status !== 0) process.exit(build.status ?? 1);
}

/** Runs `diptych ARGS`, whose end decides this process's; gives its exit code. */
export function runDiptych(args) {
  const child = spawn(process.execPath, ["packages/cli/bin/diptych.js", ...args], {
    cwd: root,
    stdio: "inherit",
  });
  // The terminal sends Ctrl-C to both processes; the child saves or tidies up and then decides when this one ends.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  return new Promise((resolve) => {
    child.on("exit", (code) => {
      process.exitCode = code ?? 1;
      resolve(process.exitCode);
    });
  });
}
