// `npm run docs:support`: writes docs/support.md from the lowerings of every backend, by the test that holds it current.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const { status } = spawnSync(
  process.execPath,
  ["node_modules/vitest/vitest.mjs", "run", "packages/diptych/src/support-table"],
  { cwd: root, stdio: "inherit", env: { ...process.env, UPDATE_SUPPORT_TABLE: "1" } },
);
process.exitCode = status ?? 1;
