// What 8 bits cost on a trained model: right answers, and pictures' directions once the mean is gone, in process and in the
// exported file. Trains a small vision transformer first; DIPTYCH_INT8_MODEL names the folder of a model to judge instead
// (trained on the emoji set).
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createOnnxBackend } from "@diptych/backend-onnx";
import type { ConstantPrecision, Image } from "@diptych/core";
import { createEmojiDataset, emojiSchema, loadEmojiSet, type EmojiSet } from "@diptych/data";
import { buildClassWeights, classify, type Embeddings } from "@diptych/zeroshot";
import { CLIPVisionModelWithProjection, env, Tensor } from "@huggingface/transformers";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  adamw,
  bpe,
  cosine,
  emoji,
  infoNce,
  openConfig,
  textTransformer,
  train,
  vit,
} from "../index.js";
import { createModelRuntime } from "../model-runtime.js";
import { readModel, type LoadedModel } from "../read-model.js";
import { exportTransformersJs } from "./export-transformers-js.js";
import { createImagePipeline } from "@diptych/data";
import { cacheFolder } from "../components.js";

const LEAST_COSINE = 0.99;
/** One point. */
const MOST_LOST = 0.01;

let root: string;
let loaded: LoadedModel;
let set: EmojiSet;
let images: readonly Image[];
let concepts: readonly number[];

/** The towers of configs/emoji-clip.ts, for fewer steps. */
async function trainModel(out: string): Promise<string> {
  const opened = await openConfig({
    name: "int8",
    seed: 0,
    model: {
      embedDim: 64,
      encoders: {
        image: vit({ imageSize: 32, patchSize: 4, width: 96, layers: 3, heads: 3 }),
        text: textTransformer({ width: 64, layers: 2, heads: 2 }),
      },
      logitScale: { initial: 14 },
    },
    tokenizer: bpe({ contextLength: 32, truncate: "cut", vocabulary: "used" }),
    data: {
      train: emoji({ split: "final", part: "train" }),
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
    },
    loss: infoNce(),
    optimizer: adamw({ betas: [0.9, 0.98], weightDecay: 0.1 }),
    schedule: cosine({ learningRate: 1e-3, warmupFraction: 0.06 }),
    training: { batchSize: 64, steps: 300, clipNorm: 1, logEvery: 100 },
  });
  const { modelPath } = await train({ opened, out });
  return modelPath!;
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "diptych-int8-"));
  const given = process.env["DIPTYCH_INT8_MODEL"];
  loaded = await readModel(given ?? (await trainModel(join(root, "run"))));
  set = await loadEmojiSet({ cacheDir: cacheFolder(), baseDir: process.cwd() });
  // The family that is not trained on.
  const config = emojiSchema.parse({ split: "final", part: "heldOutStyle" });
  const dataset = createEmojiDataset(set, config);
  images = dataset.families.flatMap((family) =>
    dataset.conceptIndices.map((concept) => set.picture(family, concept)),
  );
  concepts = dataset.families.flatMap(() => [...dataset.conceptIndices]);
}, 900_000);
afterAll(() => rm(root, { recursive: true, force: true }));

interface Judged {
  readonly pictures: Embeddings;
  readonly top1: number;
}

async function judge(precision: ConstantPrecision): Promise<Judged> {
  const backend = await createOnnxBackend();
  const encode = createModelRuntime(loaded, backend, { precision });
  const classNames = set.concepts.map(({ name }) => name);
  const weights = await buildClassWeights({ encode, classNames, templates: ["{}"] });
  const pictures = await encode.images(images);
  const { metrics } = classify(pictures, weights, concepts);
  await encode.dispose();
  await backend.dispose();
  return { pictures, top1: metrics["top1"]!.value };
}

/** Cosines of rows after the mean row of `truth` is subtracted from both. */
function centredCosines(truth: Embeddings, other: Embeddings): number[] {
  const [rows = 0, width = 0] = truth.shape;
  const means = Array.from({ length: width }, (_, j) => {
    let sum = 0;
    for (let i = 0; i < rows; i++) sum += truth.data[i * width + j]!;
    return sum / rows;
  });
  return Array.from({ length: rows }, (_, i) => {
    let [dot, a, b] = [0, 0, 0];
    means.forEach((mean, j) => {
      const [x, y] = [truth.data[i * width + j]! - mean, other.data[i * width + j]! - mean];
      dot += x * y;
      a += x * x;
      b += y * y;
    });
    return dot / Math.sqrt(a * b);
  });
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

test("int8 in process keeps answers and directions", async () => {
  const [full, narrow] = [await judge("float32"), await judge("int8")];
  const cosines = centredCosines(full.pictures, narrow.pictures);
  // Better than chance by far, or there would be nothing to lose.
  expect(full.top1).toBeGreaterThan(10 / set.concepts.length);
  expect(full.top1 - narrow.top1, `${full.top1} became ${narrow.top1}`).toBeLessThanOrEqual(
    MOST_LOST,
  );
  expect(meanOf(cosines)).toBeGreaterThanOrEqual(LEAST_COSINE);
  expect(Math.min(...cosines)).toBeLessThan(1);
});

test("the exported int8 file keeps directions, in 7 bits too", async () => {
  env.allowRemoteModels = false;
  const pipeline = createImagePipeline(loaded.pictures);
  const rows = await pipeline.prepare(images);
  await pipeline.dispose();
  for (const reduceRange of [false, true]) {
    const folder = join(root, `int8-${reduceRange}`);
    await exportTransformersJs(loaded, folder, { dtypes: ["fp32", "int8"], reduceRange });
    const [full, narrow] = await Promise.all(
      (["fp32", "int8"] as const).map(async (dtype) => {
        const model = await CLIPVisionModelWithProjection.from_pretrained(folder, { dtype });
        const pixels = new Tensor("float32", rows.data, [...rows.shape]);
        const { image_embeds: found } = (await model({ pixel_values: pixels })) as {
          image_embeds: Tensor;
        };
        await model.dispose();
        return unitRows(found);
      }),
    );
    const cosines = centredCosines(full!, narrow!);
    expect(meanOf(cosines)).toBeGreaterThanOrEqual(LEAST_COSINE);
  }
});

function unitRows({ data, dims }: Tensor): Embeddings {
  const [rows = 0, width = 0] = dims;
  const values = Float32Array.from(data as Float32Array);
  for (let i = 0; i < rows; i++) {
    const row = values.subarray(i * width, (i + 1) * width);
    const length = Math.hypot(...row);
    row.forEach((value, j) => (row[j] = value / length));
  }
  return { dtype: "float32", shape: [rows, width], data: values };
}
