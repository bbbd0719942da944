// Adds up vitest's results of all packages and prints `N passed, N failed`.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const packages = fileURLToPath(new URL("../packages", import.meta.url));
let passed = 0;
let failed = 0;
const missing = [];
for (const name of readdirSync(packages)) {
  try {
    const results = JSON.parse(
      readFileSync(path.join(packages, name, "test-results", "results.json"), "utf8"),
    );
    passed += results.numPassedTests;
    // A file that cannot be loaded holds no tests, but has failed.
    failed +=
      results.numFailedTests +
      results.testResults.filter(
        ({ status, assertionResults }) => status === "failed" && assertionResults.length === 0,
      ).length;
  } catch {
    missing.push(name);
  }
}
if (missing.length > 0) console.log(`no results from: ${missing.join(", ")}`);
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0 || missing.length > 0) process.exitCode = 1;
