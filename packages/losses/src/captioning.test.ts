import {
  ConfigError,
  createParamCollector,
  createRandomInputs,
  input,
  symbolDim,
} from "@diptych/core";
import { describe, expect, it } from "vitest";
import type { CaptionVocabulary } from "./caption-vocabulary.js";
import { createCaptioning } from "./captioning.js";
import { captioningSchema } from "./generative-config.js";
import { cube, runTextLoss, type TextCase, type Weights } from "./generative.test-support.js";
import { logSumExp, plainLogits, type PlainSettings } from "./plain-decoder.test-support.js";

const bpe: CaptionVocabulary = { vocab: 8, contextLength: 5, pad: 0, start: 6, end: 7 };
const words: CaptionVocabulary = { vocab: 8, contextLength: 4, pad: 0 };
const tiny = { width: 4, heads: 2, layers: 2, mlpDim: 5 };

/** Two texts with start and end: one with the id that also pads as a word, one that fills its context. */
const bpeTexts = [
  [6, 0, 2, 7, 0],
  [6, 3, 1, 5, 7],
];
/** What a decoder reads of each and should answer, written out by hand. */
const bpeQuestions = [
  { reads: [6, 0, 2], answers: [0, 2, 7] },
  { reads: [6, 3, 1, 5], answers: [3, 1, 5, 7] },
];
/** Words alone: none, one, and as many as there is place for. */
const wordTexts = [
  [0, 0, 0, 0],
  [4, 0, 0, 0],
  [1, 2, 3, 4],
];
const wordQuestions = [
  { reads: [], answers: [0] },
  { reads: [4], answers: [4, 0] },
  { reads: [1, 2, 3, 4], answers: [1, 2, 3, 4, 0] },
];

type Question = { readonly reads: readonly number[]; readonly answers: readonly number[] };

/** −log p of each answer. */
function costs(
  weights: Weights,
  { reads, answers }: Question,
  memory: readonly (readonly number[])[],
  settings: PlainSettings,
  vectors?: readonly (readonly number[])[],
): number[] {
  const logits = plainLogits(
    weights,
    { ids: reads, memory, ...(vectors ? { vectors } : {}) },
    settings,
  );
  expect(logits).toHaveLength(answers.length);
  return answers.map((answer, place) => logSumExp(logits[place]!) - logits[place]![answer]!);
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;

/** Gradient of the loss by the pictures' tokens against central differences of the formula. */
function checkTokenGradient(
  at: TextCase,
  found: readonly number[],
  formula: (at: TextCase) => number,
): void {
  const step = 1e-5;
  let index = 0;
  at.tokens.forEach((rows, i) => {
    rows.forEach((row, j) => {
      row.forEach((value, k) => {
        const moved = (by: number): TextCase => {
          const tokens = at.tokens.map((r) => r.map((c) => [...c]));
          tokens[i]![j]![k] = value + by;
          return { ...at, tokens };
        };
        const slope = (formula(moved(step)) - formula(moved(-step))) / (2 * step);
        expect(found[index++]).toBeCloseTo(slope, 7);
      });
    });
  });
}

describe("captioning", () => {
  it("is the mean over all places of −log p of the next id, the end among them and padding not", () => {
    const at = { tokens: cube([2, 3, 3], 1), ids: bpeTexts };
    const loss = createCaptioning(captioningSchema.parse(tiny), bpe);
    const found = runTextLoss(loss, at);
    const settings = { layers: 2, heads: 2, start: true, tied: true };
    const formula = ({ tokens }: TextCase): number =>
      mean(bpeQuestions.flatMap((q, i) => costs(found.weights, q, tokens[i]!, settings)));
    expect(found.loss).toBeCloseTo(formula(at), 12);
    checkTokenGradient(at, found.gradients["tokens"]!, formula);
    const right = bpeQuestions.flatMap(({ reads, answers }, i) =>
      plainLogits(found.weights, { ids: reads, memory: at.tokens[i]! }, settings).map(
        (row, place) => (row.indexOf(Math.max(...row)) === answers[place] ? 1 : 0),
      ),
    );
    expect(found.metrics["tokenAccuracy"]).toBeCloseTo(mean(right), 12);
  });

  it("begins with a vector of its own and ends with a pad where the tokenizer has neither start nor end", () => {
    const at = { tokens: cube([3, 2, 4], 2), ids: wordTexts };
    const loss = createCaptioning(
      captioningSchema.parse({ ...tiny, average: "texts", tied: false }),
      words,
    );
    const found = runTextLoss(loss, at);
    const settings = { layers: 2, heads: 2, start: false, tied: false };
    const formula = ({ tokens }: TextCase): number =>
      mean(wordQuestions.map((q, i) => mean(costs(found.weights, q, tokens[i]!, settings))));
    expect(found.loss).toBeCloseTo(formula(at), 12);
    checkTokenGradient(at, found.gradients["tokens"]!, formula);
  });

  it("scores every text for every picture with the logarithm of its probability", () => {
    const at = { tokens: cube([2, 3, 3], 3), ids: wordTexts, textItem: [0, 1, 1] };
    for (const scores of ["sum", "mean"] as const) {
      const loss = createCaptioning(captioningSchema.parse({ ...tiny, scores }), words);
      const found = runTextLoss(loss, at);
      const settings = { layers: 2, heads: 2, start: false, tied: true };
      const expected = at.tokens.flatMap((memory) =>
        wordQuestions.map((q) => {
          const each = costs(found.weights, q, memory, settings);
          return -(scores === "sum" ? sum(each) : mean(each));
        }),
      );
      found.scores.forEach((score, i) => expect(score).toBeCloseTo(expected[i]!, 12));
    }
  });

  it("reads the text tower's tokens instead of ids where it is CoCa's", () => {
    const textTokens = cube([2, 5, 4], 5);
    const at = { tokens: cube([2, 3, 3], 4), ids: bpeTexts, textTokens };
    const loss = createCaptioning(
      captioningSchema.parse({ heads: 2, layers: 1, mlpDim: 5, over: "tokens" }),
      bpe,
    );
    const found = runTextLoss(loss, at);
    expect(Object.keys(found.weights).filter((name) => /token|position/.test(name))).toEqual([]);
    const settings = { layers: 1, heads: 2, start: true, tied: false };
    const each = bpeQuestions.map((q, i) =>
      costs(found.weights, q, at.tokens[i]!, settings, textTokens[i]!.slice(0, q.reads.length)),
    );
    expect(found.loss).toBeCloseTo(mean(each.flat()), 12);
    expect(found.scores[0]).toBeCloseTo(-sum(each[0]!), 12);
    expect(found.scores[3]).toBeCloseTo(-sum(each[1]!), 12);
  });

  it("pairs the pictures and captions of a sample, and leaves out rows without a partner", () => {
    const tokens = cube([4, 2, 3], 6);
    // Sample 8 has two pictures and two captions, sample 5 two pictures and one, sample 9 a caption alone.
    const at = {
      tokens,
      ids: [...wordTexts, [5, 6, 0, 0]],
      imageItem: [8, 8, 5, 5],
      textItem: [9, 8, 8, 5],
    };
    const settings = { layers: 2, heads: 2, start: false, tied: true };
    const questions = [...wordQuestions, { reads: [5, 6], answers: [5, 6, 0] }];
    const byImages = runTextLoss(createCaptioning(captioningSchema.parse(tiny), words), at);
    const pairs = [
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 3],
    ] as const;
    const cost = (image: number, text: number): number[] =>
      costs(byImages.weights, questions[text]!, tokens[image]!, settings);
    expect(byImages.loss).toBeCloseTo(mean(pairs.flatMap(([i, t]) => cost(i, t))), 12);
    const byTexts = runTextLoss(
      createCaptioning(captioningSchema.parse({ ...tiny, rows: "texts", average: "texts" }), words),
      at,
      byImages.weights,
    );
    const others = [
      [0, 1],
      [1, 2],
      [2, 3],
    ] as const;
    expect(byTexts.loss).toBeCloseTo(mean(others.map(([i, t]) => mean(cost(i, t)))), 12);
  });

  it("says which encoder gives no tokens, and which widths do not fit", () => {
    const build = (options: object, tokens?: ReturnType<typeof input>) => () =>
      createCaptioning(captioningSchema.parse(options), bpe).build(
        { mode: "train", scope: createParamCollector().root, random: createRandomInputs() },
        {
          normalized: {},
          encoded: Object.fromEntries(
            ["image", "text"].map((name) => [
              name,
              {
                pooled: input(name, [symbolDim(`${name}Batch`), 4]),
                intermediates: {},
                ...(tokens ? { tokens } : {}),
              },
            ]),
          ),
          inputs: { text: input("text", [symbolDim("textBatch"), 5], "int32") },
          logitScale: input("scale", []),
          auxiliary: {},
        },
      );
    expect(build(tiny)).toThrow(ConfigError);
    expect(build(tiny)).toThrow(
      /model\.encoders\.image: expected an encoder that gives tokens.*vit/,
    );
    const tokens = input("tokens", [symbolDim("imageBatch"), 5, 4]);
    expect(build({ ...tiny, heads: 3 }, tokens)).toThrow(/auxiliary.*imageItem/);
  });

  it("refuses heads and widths that do not fit", () => {
    const at = {
      tokens: cube([2, 3, 3], 4),
      ids: bpeTexts,
      textTokens: cube([2, 5, 4], 5),
    };
    const run = (options: object) => () =>
      runTextLoss(createCaptioning(captioningSchema.parse(options), bpe), at);
    expect(run({ ...tiny, heads: 3 })).toThrow(/heads: expected a divisor of the width 4, got 3/);
    expect(run({ width: 6, over: "tokens" })).toThrow(/width: expected the text tower's 4.*got 6/);
  });
});
