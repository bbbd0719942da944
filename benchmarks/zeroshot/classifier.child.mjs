// The whole classifier in a fresh process, from the model's folder on: time and peak memory. Argument: the folder.
import { loadClip } from "diptych";
import { buildClassWeights, loadImagenetPrompts } from "@diptych/zeroshot";
import { giveResult, peakBytes } from "../support/child-process.mjs";

const opening = performance.now();
const clip = await loadClip(process.argv[2]);
const { classNames, templates80 } = loadImagenetPrompts();
const encode = { texts: (texts) => clip.encodeTexts(texts) };
const openMs = performance.now() - opening;
const start = performance.now();
let told = start;
const report = (done, total) => {
  if (performance.now() - told < 30_000) return;
  told = performance.now();
  console.error(`classifier: ${done} of ${total} prompts`);
};
await buildClassWeights({ encode, classNames, templates: templates80, report });
giveResult({ openMs, ms: performance.now() - start, peakBytes: peakBytes() });
await clip.dispose();
