// This project's side of the classifier. Argument: the model's folder. Requests: { classes: positions }.
import { loadClip } from "diptych";
import { buildClassWeights, loadImagenetPrompts } from "@diptych/zeroshot";
import { serve } from "../support/side.mjs";

const clip = await loadClip(process.argv[2]);
const { classNames, templates80 } = loadImagenetPrompts();
const encode = { texts: (texts) => clip.encodeTexts(texts) };

await serve({ name: "diptych" }, async ({ classes }) => {
  const names = classes.map((i) => classNames[i]);
  const start = performance.now();
  const weights = await buildClassWeights({ encode, classNames: names, templates: templates80 });
  const ms = performance.now() - start;
  return { ms, first: [...weights.data.subarray(0, 8)] };
});
await clip.dispose();
