// `npm run reproduce:figure2`: figure 2 of the CLIP paper in shape, on emoji: zero-shot accuracy against pictures seen for
// captioning, bag-of-words prediction, bag-of-words contrast and CLIP, three seeds each. About 40 minutes on 2 cores; the
// same command goes on after Ctrl-C. Writes runs/figure2 and docs/figure2. `-- --tiny` shows in a minute that it runs.
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { buildPackages, root } from "./build-and-run.mjs";

const METHODS = ["captioning", "bag-of-words-prediction", "bag-of-words-contrastive", "clip"];
const VALUE = "new style/top1";

const tiny = process.argv.includes("--tiny");
const out = path.join(root, "runs", tiny ? "figure2-tiny" : "figure2");
const docs = tiny ? out : path.join(root, "docs", "figure2");

buildPackages();
const child = spawn(
  process.execPath,
  [
    "packages/cli/bin/diptych.js",
    "benchmark",
    "compare",
    ...METHODS.map((method) => `configs/figure2/${method}.ts`),
    ...["--seeds", tiny ? "2" : "3", "--budget", tiny ? "samples=64" : "samples=76.8k"],
    ...["--title", "Figure 2 of the CLIP paper, on emoji", "--out", out],
    ...(tiny ? ["--tiny"] : []),
  ],
  { cwd: root, stdio: "inherit" },
);
// The terminal sends Ctrl-C to both processes; the child saves and then decides when this one ends.
process.on("SIGINT", () => {});
child.on("exit", (code) => {
  process.exitCode = code ?? 1;
  const file = path.join(out, "comparison.json");
  const comparison = code === 0 ? JSON.parse(readFileSync(file, "utf8")) : undefined;
  const runs = 4 * (tiny ? 2 : 3);
  // A comparison that was stopped ends well, too: its command says how to go on.
  if (comparison?.runs.length === runs) void publish(comparison);
});

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
