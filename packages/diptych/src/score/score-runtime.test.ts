import {
  buildEncoders,
  createHostTensor,
  createRandom,
  initialiseParameters,
  lossContext,
  type HostTensor,
  type Loss,
  type MultiEncoder,
  type Tokenizer,
} from "@diptych/core";
import { createReferenceBackend, evaluateValues } from "@diptych/core/reference";
import {
  bagOfWordsPredictionSchema,
  captioningSchema,
  createBagOfWordsPrediction,
  createCaptioning,
  createInfoNce,
} from "@diptych/losses";
import { afterAll, describe, expect, it } from "vitest";
import { createOpenClipModel } from "../open-clip-model.js";
import type { ImageSource } from "../encode/encoder-runtime.js";
import { planScores } from "./plan-scores.js";
import { chooseScoreBlocks } from "./score-blocks.js";
import { createScoreRuntime, type ScoreRuntime } from "./score-runtime.js";

const model = createOpenClipModel({
  embed_dim: 6,
  vision_cfg: { image_size: 4, patch_size: 2, width: 8, layers: 1, head_width: 4 },
  text_cfg: { context_length: 8, vocab_size: 20, width: 8, heads: 2, layers: 1 },
});
const vocabulary = { vocab: 20, contextLength: 8, pad: 0, start: 18, end: 19 };
/** Words are numbers; 18 starts and 19 ends. */
const tokenizer = {
  vocabSize: 20,
  contextLength: 8,
  special: { pad: 0, start: 18, end: 19 },
  encodeBatch: (texts: readonly string[]) => {
    const rows = texts.map((text) => [18, ...text.split(" ").filter(Boolean).map(Number), 19]);
    const ids = new Int32Array(texts.length * 8);
    rows.forEach((row, i) => ids.set(row, i * 8));
    const lengths = Int32Array.from(rows, ({ length }) => length);
    return { ids, lengths, batch: texts.length, contextLength: 8 };
  },
} as unknown as Tokenizer;

/** A picture is a path that names its brightness. */
const pixelsOf = (source: ImageSource): number[] =>
  Array.from({ length: 48 }, (_, i) => Math.sin(Number(source) + i));
const prepared: ImageSource[] = [];
const prepareImages = (sources: readonly ImageSource[]): Promise<HostTensor<"float32">> => {
  prepared.push(...sources);
  const data = Float32Array.from(sources.flatMap(pixelsOf));
  return Promise.resolve(createHostTensor("float32", [sources.length, 3, 4, 4], data));
};

const images = ["1", "2", "3", "4", "5"];
const texts = ["4 5 6 7 8 9", "", "3", "3 4", "17 1 2", "0"];
const tiny = { width: 4, heads: 2, layers: 1 };
const losses: Readonly<Record<string, Loss>> = {
  captioning: createCaptioning(captioningSchema.parse(tiny), vocabulary),
  "captioning over tokens": createCaptioning(
    captioningSchema.parse({ layers: 1, heads: 2, over: "tokens", scores: "mean" }),
    vocabulary,
  ),
  "bag-of-words-prediction": createBagOfWordsPrediction(
    bagOfWordsPredictionSchema.parse({}),
    vocabulary,
  ),
};

const backend = createReferenceBackend();
afterAll(() => backend.dispose());

const planOf = (loss: Loss): NonNullable<ReturnType<typeof planScores>> => {
  const plan = planScores(model, loss);
  if (!plan) throw new Error(`${loss.name} has no scores`);
  return plan;
};

function parametersOf(loss: Loss): ReadonlyMap<string, HostTensor> {
  const specs = [
    ...buildEncoders({ ...model, mode: "eval" }).parameters,
    ...planOf(loss).parameters,
  ];
  return initialiseParameters(specs, createRandom(3));
}

const runtimeOf = (
  loss: Loss,
  options: { readonly batchSize?: number; readonly memory?: number } = {},
): ScoreRuntime =>
  createScoreRuntime({
    backend,
    model,
    plan: planOf(loss),
    parameters: parametersOf(loss),
    tokenizer,
    prepareImages,
    ...options,
  });

/** The scores in one graph, texts padded to the context. */
function scoresAtOnce(loss: Loss): readonly number[] {
  const built = buildEncoders({ ...model, mode: "eval" });
  const scores = loss.buildScores!(lossContext(built, loss), { ...built, auxiliary: {} });
  const { ids } = tokenizer.encodeBatch(texts);
  const [found] = evaluateValues([scores], {
    ...Object.fromEntries(parametersOf(loss)),
    image: createHostTensor(
      "float32",
      [images.length, 3, 4, 4],
      Float32Array.from(images.flatMap(pixelsOf)),
    ),
    text: createHostTensor("int32", [texts.length, 8], ids),
  });
  return [...found!.data];
}

describe.each(Object.entries(losses))("scores of %s", (_, loss) => {
  const expected = scoresAtOnce(loss);

  it.each([
    ["in one run", {}],
    ["in blocks of two pictures", { batchSize: 2 }],
    ["one pair at a time", { memory: 1 }],
  ])("%s are those of one graph, in the order of pictures and texts", async (_name, options) => {
    const runtime = runtimeOf(loss, options);
    prepared.length = 0;
    const told: number[] = [];
    const { shape, data } = await runtime.score(images, texts, {
      onProgress: (done, total) => told.push(done / total),
    });
    await runtime.dispose();
    expect(shape).toEqual([5, 6]);
    data.forEach((score, i) => expect(score).toBeCloseTo(expected[i]!, 4));
    expect(prepared, "pictures are prepared once").toEqual(images);
    expect(told.at(-1)).toBe(1);
    expect(told).toEqual(told.toSorted((a, b) => a - b));
  });
});

describe("a score runtime", () => {
  const loss = losses["captioning"]!;

  it("leaves nothing on the device, also when it was stopped", async () => {
    const runtime = runtimeOf(loss, { batchSize: 1 });
    const controller = new AbortController();
    const onProgress = (): void => controller.abort(new Error("enough"));
    const stopped = runtime.score(images, texts, { signal: controller.signal, onProgress });
    await expect(stopped).rejects.toThrow("enough");
    expect(backend.memory().tensors).toBe(0);
    await runtime.score(images.slice(0, 1), texts);
    await runtime.dispose();
    expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
  });

  it("scores nothing without pictures or without texts", async () => {
    const runtime = runtimeOf(loss);
    expect((await runtime.score([], texts)).shape).toEqual([0, 6]);
    expect((await runtime.score(images, [])).shape).toEqual([5, 0]);
    await runtime.dispose();
  });

  it("holds fewer pairs in a run where one takes more", () => {
    const blocks = (memory: number) =>
      chooseScoreBlocks(planOf(loss), { backend, model, contextLength: 8, batchSize: 32, memory });
    expect(blocks(1)).toEqual({ images: 1, texts: 1 });
    const [some, many] = [blocks(2 ** 18), blocks(2 ** 24)];
    expect(some.images * some.texts).toBeGreaterThan(1);
    expect(many.images).toBe(32);
    expect(many.texts).toBeGreaterThan(some.texts);
  });
});

describe("planScores", () => {
  it("computes of each tower what pairs read, and knows the loss's parameters", () => {
    const caption = planOf(losses["captioning"]!);
    expect(Object.keys(caption.towers)).toEqual(["image"]);
    expect(Object.keys(caption.towers["image"]!.outputs)).toEqual(["image tokens"]);
    expect(caption.parameters.map(({ name }) => name)).toContain(
      "loss.captioning.text_decoder.cross_attn.0.ln_1_kv.weight",
    );
    const words = planOf(losses["bag-of-words-prediction"]!);
    expect(Object.keys(words.towers["image"]!.outputs)).toEqual(["image pooled"]);
    expect(words.parameters.map(({ name }) => name)).toEqual([
      "loss.bag-of-words-prediction.words.weight",
      "loss.bag-of-words-prediction.words.bias",
    ]);
    const tokens = planOf(losses["captioning over tokens"]!);
    expect(Object.keys(tokens.towers)).toEqual(["image", "text"]);
  });

  it("knows of none where the loss scores nothing, or the model has one tower", () => {
    expect(planScores(model, createInfoNce())).toBeUndefined();
    const { image } = model.encoders;
    const alone: MultiEncoder = { ...model, encoders: { image: image! } };
    expect(planScores(alone, losses["captioning"]!)).toBeUndefined();
  });

  it("refuses scores of another shape", () => {
    const odd: Loss = {
      ...createInfoNce(),
      name: "odd",
      buildScores: (_context, { normalized }) => normalized["image"]!,
    };
    expect(() => planScores(model, odd)).toThrow(
      /odd: expected scores float32\[imageBatch, textBatch\].*got float32\[imageBatch, 6\]/,
    );
  });
});
