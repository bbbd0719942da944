/** Classification of items with any number of right classes: average precision over classes and over an item's labels. */
import type { ClassOutcomes, Metric } from "@diptych/core";
import {
  averagePrecision as averagePrecisionOf,
  labelRankingPrecision,
  meanOfNumbers,
} from "./average-precision.js";
import { topCandidates } from "./ranking.js";

/** Scores and right classes of each item. */
export interface MultiAnswers {
  readonly scores: readonly Float64Array[];
  readonly targets: readonly ReadonlySet<number>[];
  readonly candidates: number;
}

function precisionOfClasses(
  { scores, targets, candidates }: MultiAnswers,
  items: readonly number[],
): readonly number[] {
  return Array.from({ length: candidates }, (_, candidate) =>
    averagePrecisionOf(
      Float64Array.from(items, (item) => scores[item]?.[candidate] ?? NaN),
      items.map((item) => targets[item]?.has(candidate) ?? false),
    ),
  );
}

export interface MultiPrecisions {
  /** Average precision of each class; NaN without positives. */
  readonly classes: readonly number[];
  /** Label ranking average precision of each item; NaN for one without labels. */
  readonly items: readonly number[];
  /**
   * `meanAveragePrecision`: mean over classes that have items (its `queries` are classes); `labelRankingPrecision`: mean
   * over items that have labels.
   */
  readonly metrics: Readonly<Record<string, Metric>>;
}

/** Over `items` (positions; all by default). */
export function multiLabelPrecisions(
  answers: MultiAnswers,
  items: readonly number[] = [...answers.scores.keys()],
): MultiPrecisions {
  const { scores, targets, candidates } = answers;
  const ofClasses = precisionOfClasses(answers, items);
  const ofItems = items.map((item) =>
    labelRankingPrecision(scores[item] ?? new Float64Array(0), targets[item] ?? new Set()),
  );
  return {
    classes: ofClasses,
    items: ofItems,
    metrics: {
      meanAveragePrecision: meanOfNumbers(ofClasses, items.length),
      labelRankingPrecision: meanOfNumbers(ofItems, candidates),
    },
  };
}

/** A class of an item is answered right where it is among the item's first n guesses, n being the number of its labels. */
export function multiLabelOutcomes(
  classNames: readonly string[],
  answers: MultiAnswers,
  averagePrecision: readonly number[],
): ClassOutcomes {
  const queries = classNames.map(() => 0);
  const hits = classNames.map(() => 0);
  answers.scores.forEach((scores, item) => {
    const right = answers.targets[item] ?? new Set();
    const guesses = new Set(topCandidates(scores, right.size));
    for (const target of right) {
      queries[target] = (queries[target] ?? 0) + 1;
      if (guesses.has(target)) hits[target] = (hits[target] ?? 0) + 1;
    }
  });
  return Object.freeze({
    names: classNames,
    queries,
    recall: hits.map((count, i) => count / (queries[i] ?? 0)),
    averagePrecision,
  });
}
