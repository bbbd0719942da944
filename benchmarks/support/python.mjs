// The Python that PyTorch's side of benchmarks runs in: made by `npm run bench:python`, or named by DIPTYCH_BENCH_PYTHON.
import { existsSync } from "node:fs";
import path from "node:path";
import { cacheFolder } from "diptych";

/** Where `npm run bench:python` puts its environment. */
export const pythonFolder = path.join(cacheFolder(), "bench-python");

/** Path of the interpreter, or undefined where it was not set up. */
export function benchPython() {
  const named = process.env.DIPTYCH_BENCH_PYTHON;
  if (named) return named;
  const made = path.join(
    pythonFolder,
    process.platform === "win32" ? "Scripts/python.exe" : "bin/python",
  );
  return existsSync(made) ? made : undefined;
}
