// `npm run reproduce:figure2`: figure 2 of the CLIP paper in shape, on emoji: zero-shot accuracy against pictures seen for
// captioning, bag-of-words prediction, bag-of-words contrast and CLIP, three seeds each. About 40 minutes on 2 cores; the
// same command goes on after Ctrl-C. Writes runs/figure2 and docs/figure2. `-- --tiny` shows in a minute that it runs.
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { buildPackages, root, runDiptych } from "./build-and-run.mjs";

const METHODS = ["captioning", "bag-of-words-prediction", "bag-of-words-contrastive", "clip"];
const VALUE = "new style/top1";

const tiny = process.argv.includes("--tiny");
const out = path.join(root, "runs", tiny ? "figure2-tiny" : "figure2");
const docs = tiny ? out : path.join(root, "docs", "figure2");

buildPackages();
const seeds = tiny ? 2 : 3;
const code = await runDiptych([
  "benchmark",
  "compare",
  ...METHODS.map((method) => `configs/figure2/${method}.ts`),
  ...["--seeds", String(seeds), "--budget", tiny ? "samples=64" : "samples=76.8k"],
  ...["--title", "Figure 2 of the CLIP paper, on emoji", "--out", out],
  ...(tiny ? ["--tiny"] : []),
]);
if (code === 0) await publish(JSON.parse(readFileSync(path.join(out, "comparison.json"), "utf8")));

async function publish(comparison) {
  const { dataEfficiency } = await import("../packages/benchmark/dist/index.js");
  const [captioning, words] = comparison.methods;
  const text = [captioning, words]
    .map((reference) => describe(dataEfficiency(comparison, VALUE, reference)))
    .join("\n\n");
  console.log(`\n${text}`);
  if (docs !== out) {
    mkdirSync(docs, { recursive: true });
    for (const name of readdirSync(out)) {
      if (/^report.*\.(html|md|csv|svg)$/.test(name))
        cpSync(path.join(out, name), path.join(docs, name));
    }
  }
  writeFileSync(path.join(docs, "efficiency.md"), `# Pictures until as good\n\n${text}\n`);
}

function describe({ reference, target, methods }) {
  const count = (value) =>
    value === null ? "not reached" : Math.round(value).toLocaleString("en");
  const rows = methods.map(
    ({ method, samples, mean, factor }) =>
      `| ${method} | ${count(mean)} | ${factor === null ? "" : `${factor.toFixed(1)} ×`} | ${samples.map(count).join(", ")} |`,
  );
  return [
    `Pictures until each method was as good as ${reference} in the end (top-1 ${target.toFixed(3)}, mean over seeds):`,
    "",
    "| method | pictures | fewer | by seed |",
    "| --- | ---: | ---: | --- |",
    ...rows,
  ].join("\n");
}
