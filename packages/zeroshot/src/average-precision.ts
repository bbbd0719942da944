/** Metrics of items with several right classes: mean average precision over classes, and over the labels of each item. */
import type { Metric } from "@diptych/core";

/**
 * Average precision of one class over all items: Σₙ (Rₙ − Rₙ₋₁) Pₙ, precision and recall at each distinct score from the
 * highest on (scikit-learn's average_precision_score). Items of equal score enter together: their order is nobody's
 * merit, so constant scores give the share of positives. Without ties this is CLIP_benchmark's mean of the precision at
 * each positive; its order of ties is that of an unstable sort. NaN counts as the lowest score.
 *
 * @returns NaN without positives (scikit-learn and CLIP_benchmark: 0)
 */
export function averagePrecision(scores: Float64Array, positive: readonly boolean[]): number {
  const value = (i: number): number => {
    const score = scores[i] ?? NaN;
    return Number.isNaN(score) ? -Infinity : score;
  };
  const order = Uint32Array.from(scores.keys()).sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    return x === y ? 0 : y > x ? 1 : -1;
  });
  const positives = positive.filter(Boolean).length;
  let sum = 0;
  let found = 0;
  for (let at = 0; at < order.length;) {
    const score = value(order[at] ?? 0);
    let here = 0;
    let end = at;
    for (; end < order.length && value(order[end] ?? 0) === score; end++)
      if (positive[order[end] ?? 0]) here += 1;
    found += here;
    sum += (here / positives) * (found / end);
    at = end;
  }
  return positives === 0 ? NaN : sum;
}

/**
 * Mean over an item's right classes of the share of right ones among the classes ranked at least as high (scikit-learn's
 * label_ranking_average_precision_score): a tie counts against the item. 1 where every class is right.
 *
 * @returns NaN for an item without a right class (scikit-learn: 1)
 */
export function labelRankingPrecision(scores: Float64Array, right: ReadonlySet<number>): number {
  let sum = 0;
  for (const target of right) {
    const score = scores[target] ?? NaN;
    let above = 0;
    let rightAbove = 0;
    scores.forEach((other, candidate) => {
      // No score is at least NaN: such a class ranks last, behind every other.
      if (!(other >= score) && !Number.isNaN(score)) return;
      above += 1;
      if (right.has(candidate)) rightAbove += 1;
    });
    sum += rightAbove / above;
  }
  return right.size === 0 ? NaN : sum / right.size;
}

/** Mean over the values that are numbers; `queries` of them. NaN where there are none. */
export function meanOfNumbers(values: readonly number[], candidates: number): Metric {
  const numbers = values.filter((value) => !Number.isNaN(value));
  const sum = numbers.reduce((total, value) => total + value, 0);
  return Object.freeze({ value: sum / numbers.length, queries: numbers.length, candidates });
}
