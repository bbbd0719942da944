import { describe, expect, it } from "vitest";
import { createBagOfWordsPrediction } from "./bag-of-words-prediction.js";
import type { CaptionVocabulary } from "./caption-vocabulary.js";
import { bagOfWordsPredictionSchema } from "./generative-config.js";
import {
  cube,
  runTextLoss,
  scattered,
  type TextCase,
  type TextRun,
} from "./generative.test-support.js";

const vocab = 9;
const words: CaptionVocabulary = { vocab, contextLength: 4, pad: 0 };
const bpe: CaptionVocabulary = { vocab, contextLength: 6, pad: 0, start: 7, end: 8 };

const EMBED_DIM = 3;
const pooledRows = (count: number): number[][] =>
  Array.from({ length: count }, (_, i) => scattered(EMBED_DIM, 20 + i));

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
const softplus = (x: number): number => Math.log1p(Math.exp(x));
const distinct = (ids: readonly number[]): number[] => [...new Set(ids)];

/** W·features + b. */
function logitsOf(row: readonly number[], { weights }: Pick<TextRun, "weights">): number[] {
  const { values } = weights["words.weight"]!;
  return weights["words.bias"]!.values.map((bias, v) =>
    sum([bias, ...row.map((x, i) => x * values[v * EMBED_DIM + i]!)]),
  );
}

function logSoftmax(logits: readonly number[]): number[] {
  const total = Math.log(sum(logits.map(Math.exp)));
  return logits.map((value) => value - total);
}

const formulas = {
  softmax: {
    cost: (logits: readonly number[], ids: readonly number[]) =>
      -mean(ids.map((id) => logSoftmax(logits)[id]!)),
    score: (logits: readonly number[], ids: readonly number[]) =>
      ids.map((id) => logSoftmax(logits)[id]!),
    none: () => 0,
  },
  logistic: {
    cost: (logits: readonly number[], ids: readonly number[]) =>
      sum(logits.map(softplus)) - sum(distinct(ids).map((id) => logits[id]!)),
    score: (logits: readonly number[], ids: readonly number[]) =>
      distinct(ids).map((id) => logits[id]!),
    none: (logits: readonly number[]) => sum(logits.map(softplus)),
  },
};

describe.each(["softmax", "logistic"] as const)("bag-of-words prediction, %s", (objective) => {
  const { cost, score, none } = formulas[objective];
  const at: TextCase = {
    tokens: cube([4, 1, 1], 1),
    pooled: pooledRows(4),
    // The last caption repeats a word; the second has none.
    ids: [
      [3, 1, 0, 0],
      [0, 0, 0, 0],
      [5, 2, 8, 6],
      [4, 2, 4, 0],
    ],
  };
  const captions = [[3, 1], [], [5, 2, 8, 6], [4, 2, 4]];
  const create = (options = {}, vocabulary = words) =>
    createBagOfWordsPrediction(
      bagOfWordsPredictionSchema.parse({ objective, ...options }),
      vocabulary,
    );

  it("is the mean over pictures of the cost of their captions' words", () => {
    const found = runTextLoss(create(), at);
    const formula = ({ pooled }: TextCase): number =>
      mean([0, 2, 3].map((i) => cost(logitsOf(pooled![i]!, found), captions[i]!)));
    expect(found.loss).toBeCloseTo(formula(at), 12);
    const step = 1e-5;
    at.pooled!.forEach((row, i) => {
      row.forEach((value, j) => {
        const moved = (by: number): TextCase => {
          const pooled = at.pooled!.map((r) => [...r]);
          pooled[i]![j] = value + by;
          return { ...at, pooled };
        };
        const slope = (formula(moved(step)) - formula(moved(-step))) / (2 * step);
        expect(found.gradients["pooled"]![i * EMBED_DIM + j]).toBeCloseTo(slope, 8);
      });
    });
    const hits = [0, 2, 3].map((i) => {
      const logits = logitsOf(at.pooled![i]!, found);
      return captions[i]!.includes(logits.indexOf(Math.max(...logits))) ? 1 : 0;
    });
    expect(found.metrics["wordAccuracy"]).toBeCloseTo(mean(hits), 12);
  });

  it("scores texts by their words", () => {
    for (const scores of ["sum", "mean"] as const) {
      const found = runTextLoss(create({ scores }), at);
      const expected = at.pooled!.flatMap((row) => {
        const logits = logitsOf(row, found);
        return captions.map((ids) => {
          const each = score(logits, ids);
          return sum(each) / (scores === "sum" ? 1 : Math.max(each.length, 1)) - none(logits);
        });
      });
      found.scores.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 12));
    }
  });

  it("takes start, end and what follows the end for no words, and 0 for a word where texts have an end", () => {
    const texts = {
      ...at,
      pooled: pooledRows(2),
      tokens: cube([2, 1, 1], 1),
      ids: [
        [7, 0, 3, 8, 0, 0],
        [7, 5, 5, 1, 2, 8],
      ],
    };
    const found = runTextLoss(create({}, bpe), texts);
    const said = [
      [0, 3],
      [5, 5, 1, 2],
    ];
    const costs = said.map((ids, i) => cost(logitsOf(texts.pooled[i]!, found), ids));
    expect(found.loss).toBeCloseTo(mean(costs), 12);
  });

  it("gives both pictures of a sample its caption", () => {
    const found = runTextLoss(create(), { ...at, imageItem: [0, 0, 2, 7], textItem: [0, 1, 2, 3] });
    const costs = [
      [0, 0],
      [1, 0],
      [2, 2],
    ].map(([i, t]) => cost(logitsOf(at.pooled![i!]!, found), captions[t!]!));
    expect(found.loss).toBeCloseTo(mean(costs), 12);
  });
});
