// What data preparation costs beside a training step: microseconds for drawing a sample, augmenting and writing one
// 32×32 picture, milliseconds of a whole quickstart batch (96 concepts, two pictures each), and seconds for rendering
// the emoji set, scaled up from a part of it.
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

/** Median over repeats of the mean time of 2,000 calls. */
function perCall(call) {
  const times = Array.from({ length: repeats }, () => {
    const start = performance.now();
    for (let i = 0; i < 2000; i += 1) call(i);
    return ((performance.now() - start) / 2000) * 1000;
  });
  return median(times);
}

/** Batches as fast as the loader makes them. */
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
  let start = performance.now();
  for await (const { step } of loader.batches()) {
    times.push(performance.now() - start);
    start = performance.now();
    if (step === 40) break;
  }
  return median(times.slice(5));
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

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
