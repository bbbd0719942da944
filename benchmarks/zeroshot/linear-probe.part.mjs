// Logistic regression on 50,000 × 512 features of 100 classes: ours beside scikit-learn's LogisticRegression, the same
// numbers in float32, the same C, tolerance and iterations at most, in turns. Needs `npm run bench:python`.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { createRandom } from "@diptych/core";
import { benchPython } from "../support/python.mjs";
import { startSide } from "../support/side.mjs";
import { spread } from "../support/statistics.mjs";

const turns = Number(process.env.BENCH_TURNS ?? 3);
/** Of one fit; the paper's 1,000 end earlier by the tolerance, on both sides alike. */
const maxIterations = Number(process.env.BENCH_ITERATIONS ?? 100);
const sizes = { rows: 50_000, test: 5_000, width: 512, classes: 100 };
const here = (file) => fileURLToPath(new URL(file, import.meta.url));

export async function run() {
  const folder = mkdtempSync(path.join(tmpdir(), "diptych-probe-"));
  const python = benchPython();
  if (!python)
    console.log("linear-probe: scikit-learn is left out: `npm run bench:python` installs it.");
  const args = [folder, JSON.stringify(sizes)];
  const sides = {};
  try {
    writeFeatures(folder);
    sides.diptych = await startSide(process.execPath, [here("linear-probe.side.mjs"), ...args]);
    if (python) sides.sklearn = await startSide(python, [here("linear-probe.side.py"), ...args]);
    const answers = Object.fromEntries(Object.keys(sides).map((key) => [key, []]));
    const request = { C: 0.316, maxIterations };
    for (const side of Object.values(sides)) await side.ask({ ...request, maxIterations: 3 });
    for (let turn = 0; turn < turns; turn += 1)
      for (const [key, side] of Object.entries(sides)) answers[key].push(await side.ask(request));
    const figures = { sizes, maxIterations, ...describe(sides, answers) };
    console.log(summary(figures));
    return figures;
  } finally {
    for (const side of Object.values(sides)) await side.close();
    rmSync(folder, { recursive: true });
  }
}

/** Classes around directions of their own, as far apart as makes some of them hard; lengths about 10, as CLIP's. */
function writeFeatures(folder) {
  const { rows, test, width, classes } = sizes;
  const random = createRandom(2);
  const centres = new Float32Array(classes * width);
  random.split("centres").fillNormal(centres);
  const features = new Float32Array((rows + test) * width);
  random.split("features").fillNormal(features);
  const labels = Int32Array.from({ length: rows + test }, (_, i) => i % classes);
  labels.forEach((label, row) => {
    for (let i = 0; i < width; i += 1) {
      const at = row * width + i;
      features[at] = 0.45 * (features[at] + 0.17 * centres[label * width + i]);
    }
  });
  writeFileSync(path.join(folder, "features.f32"), features);
  writeFileSync(path.join(folder, "labels.i32"), labels);
}

function describe(sides, answers) {
  const of = (key, name) => spread(answers[key].map((answer) => answer[name]));
  const found = Object.fromEntries(
    Object.entries(sides).map(([key, { ready }]) => [
      key,
      {
        name: ready.name,
        ms: of(key, "ms"),
        iterations: of(key, "iterations").median,
        evaluations: answers[key][0].evaluations,
        accuracy: answers[key][0].accuracy,
        objective: answers[key][0].objective,
        peakBytes: of(key, "peakBytes").max,
      },
    ]),
  );
  if (!answers.sklearn) return { sides: found };
  const ratio = answers.diptych.map((answer, i) => answer.ms / answers.sklearn[i].ms);
  const perIteration = answers.diptych.map(
    (answer, i) =>
      answer.ms / answer.iterations / (answers.sklearn[i].ms / answers.sklearn[i].iterations),
  );
  return {
    sides: found,
    timeOverSklearn: spread(ratio),
    timePerIterationOverSklearn: spread(perIteration),
  };
}

function summary({ sides, timeOverSklearn }) {
  const parts = Object.entries(sides).map(
    ([key, { ms, iterations, accuracy, peakBytes }]) =>
      `${key} ${(ms.median / 1000).toFixed(1)} s (${(ms.min / 1000).toFixed(1)}–${(ms.max / 1000).toFixed(1)}), ${iterations} iterations, accuracy ${accuracy.toFixed(4)}, peak ${(peakBytes / 2 ** 20).toFixed(0)} MiB`,
  );
  const ratio = timeOverSklearn
    ? `; ${timeOverSklearn.median.toFixed(2)} (${timeOverSklearn.min.toFixed(2)}–${timeOverSklearn.max.toFixed(2)}) times scikit-learn's time`
    : "";
  return `linear-probe: ${parts.join("; ")}${ratio}`;
}
