// `npm test`: runs the tests of every package through nx, which replays what has not changed, then adds
// up vitest's results and ends with the line `N passed, N failed`. Arguments go to nx.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const folders = readdirSync(path.join(root, "packages"));
const resultsOf = (folder) => path.join(root, "packages", folder, "test-results");

// Results of an earlier run must not be counted; nx puts back those of cached runs.
for (const folder of folders) rmSync(resultsOf(folder), { recursive: true, force: true });

const run = spawnSync(
  process.execPath,
  [
    path.join("node_modules", "nx", "dist", "bin", "nx.js"),
    "run-many",
    "-t",
    "test",
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: "inherit" },
);

let passed = 0;
let failed = 0;
const missing = [];
/** Number of skipped tests by what was skipped, whose name says why. */
const skipped = new Map();
for (const folder of folders) {
  let results;
  try {
    results = JSON.parse(readFileSync(path.join(resultsOf(folder), "results.json"), "utf8"));
  } catch {
    missing.push(folder);
    continue;
  }
  passed += results.numPassedTests;
  failed += results.numFailedTests + results.testResults.filter(isBrokenFile).length;
  for (const name of results.testResults.flatMap(findSkipped)) {
    const line = `${folder}: ${name}`;
    skipped.set(line, (skipped.get(line) ?? 0) + 1);
  }
}
for (const [line, count] of skipped) console.log(`skipped ${count} of ${line}`);
if (missing.length > 0) console.log(`no test results from: ${missing.join(", ")}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || missing.length > 0 ? 1 : (run.status ?? 1);

/** A file that cannot be loaded holds no tests, but has failed. */
function isBrokenFile({ status, assertionResults }) {
  return status === "failed" && assertionResults.length === 0;
}

/** The outermost name of each skipped test: a suite that is skipped as a whole says why there. */
function findSkipped({ assertionResults }) {
  return assertionResults
    .filter(({ status }) => status === "skipped" || status === "pending" || status === "todo")
    .map(({ ancestorTitles, title }) => ancestorTitles.find((name) => name !== "") ?? title);
}
