// Zero-shot evaluation beside the Python tools, part by part, in one run. `BENCH_CASES=classifier` runs the parts whose
// names contain that. PyTorch's and scikit-learn's sides need their Python: `npm run bench:python` makes it.
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("zeroshot", import.meta.url));
const suffix = ".part.mjs";

/** Each part is a module `zeroshot/NAME.part.mjs` with `run(): Promise<figures>`, which says in a line what it found. */
export async function run() {
  const wanted = (process.env.BENCH_CASES ?? "").split(",").filter(Boolean);
  const parts = readdirSync(folder)
    .filter((file) => file.endsWith(suffix))
    .map((file) => file.slice(0, -suffix.length))
    .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
    .sort();
  const results = {};
  for (const name of parts) {
    const part = await import(new URL(`zeroshot/${name}${suffix}`, import.meta.url).href);
    results[name] = await part.run();
  }
  return results;
}
