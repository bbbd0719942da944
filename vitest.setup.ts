// A warning is a failure: a test during which the process or the console warned does not pass.
// A test that expects a warning replaces console.warn with its own spy.
import { afterEach, beforeEach } from "vitest";

let warnings: string[] = [];
const printWarning = console.warn;

process.on("warning", (warning) => {
  warnings.push(`${warning.name}: ${warning.message}`);
});

beforeEach(() => {
  warnings = [];
  console.warn = (...values: unknown[]) => {
    warnings.push(values.map(String).join(" "));
    printWarning(...values);
  };
});

afterEach(() => {
  console.warn = printWarning;
  if (warnings.length > 0) {
    throw new Error(`the test passed but warned: ${warnings.join(" | ")}`);
  }
});
