// What a precision costs in exactness: the quickstart's first steps in float32 and in 16 bits, over the same batches and
// the same dropout, for some seeds. How far the loss curves lie apart, and the accuracy of the models that come out.
// BENCH_BACKEND (a part as JSON; {"type":"onnx"}), BENCH_PRECISION (mixed-bf16), BENCH_STEPS (200), BENCH_SEEDS (0,1,2).
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { emojiSchema } from "@diptych/data";
import {
  cacheFolder,
  loadClip,
  loadEmojiSet,
  measureEmoji,
  openConfigFile,
  readJsonlLog,
  train,
} from "diptych";
import { spread } from "./support/statistics.mjs";

const { env } = process;
const backend = JSON.parse(env.BENCH_BACKEND ?? '{"type":"onnx"}');
const precision = env.BENCH_PRECISION ?? "mixed-bf16";
const steps = Number(env.BENCH_STEPS ?? 200);
const seeds = (env.BENCH_SEEDS ?? "0,1,2").split(",").map(Number);

/** Steps whose mean loss is compared: single ones swing with their batch. */
const WINDOW = 20;

export async function run() {
  const runs = [];
  for (const seed of seeds) {
    const fp32 = await trained({ seed, precision: "fp32" });
    const low = await trained({ seed, precision });
    runs.push({ seed, ...apart(fp32.losses, low.losses), fp32, [precision]: low });
    const last = runs.at(-1);
    console.log(
      `seed ${seed}: curves ${percent(last.means.largest)} apart at most (single steps ${percent(last.single.largest)}); top-1 ${fp32.top1.toFixed(4)} and ${low.top1.toFixed(4)}`,
    );
  }
  const top1 = (key) => spread(runs.map((each) => each[key].top1));
  return {
    backend: runs[0]?.fp32.backend,
    precision,
    steps,
    largestApart: Math.max(...runs.map(({ means }) => means.largest)),
    largestApartOfOneStep: Math.max(...runs.map(({ single }) => single.largest)),
    top1: { fp32: top1("fp32"), [precision]: top1(precision) },
    runs,
  };
}

const percent = (share) => `${(100 * share).toFixed(2)} %`;

/** A model trained for `steps`, its losses and its accuracy on the style that training never saw. */
async function trained({ seed, precision: training }) {
  const out = await mkdtemp(path.join(tmpdir(), "diptych-precision-"));
  try {
    const settings = {
      seed,
      "training.precision": training,
      "training.steps": steps,
      "training.logEvery": 1,
      "training.checkpointEvery": "null",
      "training.duration": "undefined",
      backend: JSON.stringify(backend),
    };
    const set = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
    const opened = await openConfigFile("configs/emoji-quickstart.ts", { set });
    const summary = await train({ opened, out });
    const records = readJsonlLog(path.join(out, "log.jsonl"));
    const losses = records.filter(({ event }) => event === "step").map(({ loss }) => loss);
    if (losses.length !== steps || !losses.every(Number.isFinite))
      throw new Error(`bench: losses: expected ${steps} finite ones, got ${losses}`);
    const top1 = await accuracy(opened, summary.modelPath);
    const { backend: name, seconds, skippedSteps } = summary;
    return { backend: name, seconds, skippedSteps, top1, losses };
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

/** In float32 on the default backend, whatever the model was trained on. */
async function accuracy({ config, baseDir }, model) {
  const emoji = emojiSchema.parse(config.data.train.config);
  const set = await loadEmojiSet({
    baseDir,
    cacheDir: cacheFolder(),
    imageSize: emoji.imageSize,
  });
  const clip = await loadClip(model);
  try {
    const encode = { images: clip.encodeImages, texts: clip.encodeTexts };
    const { measures } = await measureEmoji({ encode, set, config: emoji });
    return measures.heldOutStyle.top1;
  } finally {
    await clip.dispose();
  }
}

/** Differences relative to float32's loss there: of single steps, and of means over WINDOW steps. */
function apart(fp32, low) {
  const relative = (a, b) => a.map((value, i) => Math.abs(b[i] - value) / value);
  const describe = (differences) => ({
    largest: Math.max(...differences),
    mean: differences.reduce((sum, value) => sum + value, 0) / differences.length,
    atStep: differences.indexOf(Math.max(...differences)),
  });
  return {
    single: describe(relative(fp32, low)),
    means: describe(relative(windows(fp32), windows(low))),
  };
}

function windows(losses) {
  const size = Math.min(WINDOW, losses.length);
  return losses
    .slice(size - 1)
    .map((_, end) => losses.slice(end, end + size).reduce((sum, loss) => sum + loss, 0) / size);
}
