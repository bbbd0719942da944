// Assembles src/evaluation/resample.wat into resample-wasm.ts: `node packages/data/scripts/assemble-resample.mjs`.
// A test compares the two, so that neither can be changed alone.
import { readFileSync, writeFileSync } from "node:fs";
import wabt from "wabt";

const source = new URL("../src/evaluation/resample.wat", import.meta.url);
const target = new URL("../src/evaluation/resample-wasm.ts", import.meta.url);

const { parseWat } = await wabt();
const parsed = parseWat("resample.wat", readFileSync(source, "utf8"), { simd: true });
const { buffer } = parsed.toBinary({});
parsed.destroy();
const lines = Buffer.from(buffer)
  .toString("base64")
  .match(/.{1,100}/g)
  .map((line) => `  "${line}",`);
writeFileSync(
  target,
  `/** resample.wat, assembled by scripts/assemble-resample.mjs (wabt 1.0.39); do not edit. */
export const RESAMPLE_WASM = [
${lines.join("\n")}
].join("");
`,
);
