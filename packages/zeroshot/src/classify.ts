/** From scores of classes to what is right: ranks, guesses and confidences of items with one class each, and their metrics. */
import type { Metric } from "@diptych/core";
import { calibrationError, guessOf } from "./calibration.js";
import { meanPerClassRecall, recallAt } from "./metrics.js";
import { rankOfBest, similarities, type Embeddings } from "./ranking.js";

export interface ClassifyOptions {
  /** Within how many guesses the right class counts; 1 and 5 by default. */
  readonly topK?: readonly number[];
  /** What scores are multiplied with before a softmax; 100 by default, as in CLIP_benchmark. */
  readonly scale?: number;
  /** Of each class the first one with equal prompts; each its own by default. */
  readonly firstLike?: readonly number[];
  /** Of the calibration error; 15 by default. */
  readonly bins?: number | undefined;
}

/** Answers item by item. */
export interface SingleAnswers {
  readonly targets: readonly number[];
  /** Rank (from 0) of the right class. */
  readonly ranks: readonly number[];
  /** The class that was guessed; -1 where no score is a number. */
  readonly guesses: readonly number[];
  readonly confidences: readonly number[];
}

export interface ClassificationResult extends SingleAnswers {
  readonly metrics: Readonly<Record<string, Metric>>;
}

/**
 * Ranks of the right class and the metrics over them; ties count against the query.
 *
 * @param images [pictures, width] unit rows. @param weights [classes, width] unit rows.
 * @param targets The class of each picture.
 */
export function classify(
  images: Embeddings,
  weights: Embeddings,
  targets: readonly number[],
  options: ClassifyOptions = {},
): ClassificationResult {
  const candidates = weights.shape[0] ?? 0;
  const answering = createSingleAnswers(options);
  targets.forEach((target, i) => {
    answering.add(similarities(images, i, weights), target);
  });
  const answers = answering.all();
  return Object.freeze({ ...answers, metrics: singleMetrics(answers, { ...options, candidates }) });
}

/** Collects answers, one row of scores at a time. */
export function createSingleAnswers({ scale = 100, firstLike = [] }: ClassifyOptions = {}): {
  add(scores: Float64Array, target: number): void;
  all(): SingleAnswers;
} {
  const targets: number[] = [];
  const ranks: number[] = [];
  const guesses: number[] = [];
  const confidences: number[] = [];
  const accepted = new Map<number, ReadonlySet<number>>();
  return {
    add: (scores, target) => {
      let right = accepted.get(target);
      if (!right) accepted.set(target, (right = withLaterTwins(target, firstLike)));
      const { guess, confidence } = guessOf(scores, right, scale);
      targets.push(target);
      ranks.push(rankOfBest(scores, right));
      guesses.push(guess);
      confidences.push(confidence);
    },
    all: () => Object.freeze({ targets, ranks, guesses, confidences }),
  };
}

/** A class of equal prompts further back scores the same: the earlier one is the answer, as of an argmax. */
function withLaterTwins(target: number, firstLike: readonly number[]): ReadonlySet<number> {
  const first = firstLike[target];
  const later = firstLike.flatMap((like, i) => (like === first && i > target ? [i] : []));
  return new Set([target, ...later]);
}

export interface SingleMetricOptions extends ClassifyOptions {
  readonly candidates: number;
}

/** `top<k>`, `meanPerClassRecall` and `calibrationError` over `items` (positions; all by default). */
export function singleMetrics(
  answers: SingleAnswers,
  { candidates, topK = [1, 5], bins }: SingleMetricOptions,
  items?: readonly number[],
): Readonly<Record<string, Metric>> {
  const of = (values: readonly number[]): readonly number[] =>
    items ? items.map((item) => values[item] ?? NaN) : values;
  const ranks = of(answers.ranks);
  const right = ranks.map((rank) => (rank === 0 ? 1 : 0));
  return Object.fromEntries([
    ...topK.map((k) => [`top${k}`, recallAt(ranks, k, candidates)] as const),
    ["meanPerClassRecall", meanPerClassRecall(ranks, of(answers.targets), candidates)] as const,
    [
      "calibrationError",
      calibrationError(of(answers.confidences), right, { candidates, bins }),
    ] as const,
  ]);
}
