// Pictures from file to normalised tensor, per core: ours, exact and fast, against Pillow and torchvision's transform in
// turns in one run (CPU time of the whole process and time on the clock, medians and spread). Also: how far the fast
// mode's pixels are from the exact ones, and images a second through worker threads. Python's side needs
// `npm run bench:python`; without it, it is left out and said so.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { createEvaluationTransform, createImagePipeline } from "@diptych/data";
import { startSide } from "./support/side.mjs";
import { makePictures } from "./images/pictures.mjs";
import { benchPython } from "./support/python.mjs";
import { median, spread } from "./support/statistics.mjs";

const turns = 9;
const here = (file) => fileURLToPath(new URL(`images/${file}`, import.meta.url));

export async function run() {
  const folder = mkdtempSync(path.join(tmpdir(), "diptych-bench-"));
  const python = benchPython();
  if (!python) {
    console.log("images: Pillow is left out: `npm run bench:python` installs it for benchmarks.");
  }
  const sides = { ours: await startSide(process.execPath, [here("diptych.side.mjs")]) };
  try {
    if (python) sides.pillow = await startSide(python, [here("pillow.side.py")]);
    const results = {};
    for (const [width, height, resize] of [
      [640, 480, "exact"],
      [640, 480, "fast"],
      [1600, 1200, "exact"],
      [1600, 1200, "fast"],
    ]) {
      const files = await makePictures(folder, width, height);
      results[`${width}×${height} JPEG, ${resize}`] = await compare(sides, files, resize);
    }
    return {
      sides: Object.values(sides).map(({ ready }) => ready.name),
      perCore: results,
      fastDistance: await fastDistance(folder),
      workers: await throughWorkers(folder),
    };
  } finally {
    for (const side of Object.values(sides)) await side.close();
    rmSync(folder, { recursive: true });
  }
}

async function compare(sides, files, resize) {
  const found = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  // Compilers take some hundred pictures to settle.
  const warm = Array(20).fill(files).flat();
  for (const side of Object.values(sides)) await side.ask({ files: warm, resize });
  for (let turn = 0; turn < turns; turn += 1) {
    for (const [name, side] of Object.entries(sides)) {
      found[name].push(await side.ask({ files, resize }));
    }
  }
  const per = (name, key) => spread(found[name].map((answer) => answer[key] / files.length));
  const figures = Object.fromEntries(
    Object.keys(sides).map((name) => [
      name,
      { cpuMsPerImage: per(name, "cpuMs"), msPerImage: per(name, "ms") },
    ]),
  );
  if (!sides.pillow) return figures;
  if (resize === "exact") checkSame(found.ours[0].first, found.pillow[0].first);
  const { ours, pillow } = figures;
  return {
    ...figures,
    imagesPerCoreSecondOverPillow: pillow.cpuMsPerImage.median / ours.cpuMsPerImage.median,
    imagesPerSecondOverPillow: pillow.msPerImage.median / ours.msPerImage.median,
  };
}

/** Both sides do the same work: the same float32 values, but for a level of the decoders. */
function checkSame(ours, pillow) {
  if (ours.every((value, i) => Math.abs(value - pillow[i]) < 0.02)) return;
  throw new Error(`images: expected equal tensors, got ${ours.join(" ")} and ${pillow.join(" ")}`);
}

/** Levels (0–255) between fast and exact pixels. */
async function fastDistance(folder) {
  const exact = createEvaluationTransform();
  const fast = createEvaluationTransform({ resize: "fast" });
  const distances = {};
  for (const [width, height] of [
    [640, 480],
    [1600, 1200],
  ]) {
    const means = [];
    let largest = 0;
    for (const file of await makePictures(folder, width, height)) {
      const a = await exact.pixels(file);
      const b = await fast.pixels(file);
      let sum = 0;
      a.data.forEach((value, i) => {
        const distance = Math.abs(value - b.data[i]);
        sum += distance;
        largest = Math.max(largest, distance);
      });
      means.push(sum / a.data.length);
    }
    distances[`${width}×${height}`] = { meanLevels: median(means), largestLevels: largest };
  }
  return distances;
}

/** Images a second on the clock, with every processor. */
async function throughWorkers(folder) {
  const files = (await makePictures(folder, 640, 480)).flatMap((file) => Array(8).fill(file));
  const pipeline = createImagePipeline();
  try {
    await pipeline.prepare(files);
    const rates = [];
    for (let turn = 0; turn < 5; turn += 1) {
      const start = performance.now();
      await pipeline.prepare(files);
      rates.push(files.length / ((performance.now() - start) / 1000));
    }
    return { processors: availableParallelism(), imagesPerSecond: spread(rates) };
  } finally {
    await pipeline.dispose();
  }
}
