// What data preparation costs beside a training step, in CPU time: microseconds for drawing a sample, augmenting and writing one
// 32×32 picture, milliseconds of a whole quickstart batch (96 concepts, two pictures each), and seconds (of the clock)
// for rendering the emoji set, scaled up from a part of it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom } from "@diptych/core";
import {
  augmentSchema,
  createAugmentTransform,
  createEmojiDataset,
  createLoader,
  loadEmojiSet,
  writeImage,
} from "@diptych/data";

const repeats = 15;
const concepts = 96;
const allDrawings = 6344;
const size = { imageHeight: 32, imageWidth: 32 };

export async function run() {
  const cacheDir = mkdtempSync(join(tmpdir(), "diptych-bench-"));
  try {
    const set = await loadEmojiSet({ baseDir: process.cwd(), cacheDir, limit: 2 * concepts });
    const drawings = set.concepts.length * 4;
    const dataset = createEmojiDataset(set);
    const augment = createAugmentTransform(augmentSchema.parse({}), size);
    const streams = Array.from({ length: 2000 }, (_, i) => createRandom(i));
    const index = (i) => i % dataset.size;
    const pictures = streams.map((random, i) => dataset.sample(index(i), { random }).images[0]);
    const flat = await augment.apply(pictures[0], streams[0]);
    const out = new Float32Array(3 * 32 * 32);
    return {
      sampleMicroseconds: perCall((i) =>
        dataset.sample(index(i), { random: streams[i], images: 2 }),
      ),
      augmentMicroseconds: perCall((i) => augment.apply(pictures[i], streams[i])),
      writeMicroseconds: perCall(() => writeImage(flat, out, 0)),
      batchMilliseconds: await batchMilliseconds(dataset, augment),
      renderSecondsOfWholeSet: (set.renderSeconds * allDrawings) / drawings,
    };
  } finally {
    rmSync(cacheDir, { recursive: true });
  }
}

/** Mean CPU time (all threads) of 2,000 calls in the fastest repeat: other processes do not count. */
function perCall(call) {
  const times = Array.from({ length: repeats }, () => {
    const before = process.cpuUsage();
    for (let i = 0; i < 2000; i += 1) call(i);
    return cpuMicroseconds(before) / 2000;
  });
  return Math.min(...times);
}

function cpuMicroseconds(before) {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** CPU time of a batch, as fast as the loader makes them. */
async function batchMilliseconds(dataset, augment) {
  const loader = createLoader({
    dataset,
    tokenizer,
    batchSize: concepts,
    seed: 0,
    imagesPerSample: 2,
    imageTransforms: [augment],
    ...size,
  });
  const times = [];
  let before = process.cpuUsage();
  for await (const { step } of loader.batches()) {
    times.push(cpuMicroseconds(before) / 1000);
    before = process.cpuUsage();
    if (step === 60) break;
  }
  return times.slice(5).reduce((sum, time) => sum + time, 0) / (times.length - 5);
}

/** Costs nothing, so that pictures alone are measured. */
const tokenizer = {
  encodeBatch: (texts) => ({
    ids: new Int32Array(texts.length),
    lengths: new Int32Array(texts.length),
    batch: texts.length,
    contextLength: 1,
  }),
};
