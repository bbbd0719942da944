/** Mean and median rank as open_clip's validation counts them, of ranks from 0 on. */
import type { Metric } from "@diptych/core";

/** Mean of the ranks from 1 on. */
export function meanRank(ranks: Float64Array, candidates: number): Metric {
  const value = ranks.reduce((total, rank) => total + rank, 0) / ranks.length + 1;
  return Object.freeze({ value, queries: ranks.length, candidates });
}

/** ⌊median of the ranks from 0⌋ + 1; the median of an even number is the mean of the middle two. */
export function medianRank(ranks: Float64Array, candidates: number): Metric {
  const all = Float64Array.from(ranks).sort();
  const middle = all.length / 2;
  const median = ((all[Math.ceil(middle) - 1] ?? NaN) + (all[Math.floor(middle)] ?? NaN)) / 2;
  return Object.freeze({ value: Math.floor(median) + 1, queries: all.length, candidates });
}
