/** Classification of items with any number of right classes: average precision over classes and over an item's labels. */
import type { ClassOutcomes, Metric } from "@diptych/core";
import { averagePrecision, labelRankingPrecision, meanOfNumbers } from "./average-precision.js";
import { topCandidates } from "./ranking.js";

/** Scores and right classes of each item. */
export interface MultiAnswers {
  readonly scores: readonly Float64Array[];
  readonly targets: readonly ReadonlySet<number>[];
  readonly candidates: number;
}

/** Average precision of each class over `items` (positions; all by default); NaN without positives. */
function precisionOfClasses(
  { scores, targets, candidates }: MultiAnswers,
  items: readonly number[] = [...scores.keys()],
): readonly number[] {
  return Array.from({ length: candidates }, (_, candidate) =>
    averagePrecision(
      Float64Array.from(items, (item) => scores[item]?.[candidate] ?? NaN),
      items.map((item) => targets[item]?.has(candidate) ?? false),
    ),
  );
}

/**
 * `meanAveragePrecision`: mean over classes that have items (its `queries` are classes); `labelRankingPrecision`: mean
 * over items that have labels.
 */
export function multiLabelMetrics(
  answers: MultiAnswers,
  items: readonly number[] = [...answers.scores.keys()],
): Readonly<Record<string, Metric>> {
  const precisions = itemPrecisions(answers);
  return {
    meanAveragePrecision: meanOfNumbers(precisionOfClasses(answers, items), items.length),
    labelRankingPrecision: meanOfNumbers(
      items.map((item) => precisions[item] ?? NaN),
      answers.candidates,
    ),
  };
}

/** Label ranking average precision of each item; NaN for one without labels. */
export function itemPrecisions({ scores, targets }: MultiAnswers): readonly number[] {
  return scores.map((row, item) => labelRankingPrecision(row, targets[item] ?? new Set()));
}

/** A class of an item is answered right where it is among the item's first n guesses, n being the number of its labels. */
export function multiLabelOutcomes(
  classNames: readonly string[],
  answers: MultiAnswers,
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
    averagePrecision: precisionOfClasses(answers),
  });
}
