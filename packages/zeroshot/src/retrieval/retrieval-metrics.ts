/** Metrics of ranks: recall@k, and mean and median rank as open_clip's validation counts them. */
import type { Metric } from "@diptych/core";

/** Share of queries whose rank (from 0; NaN: no query) is below k. */
export function recallOf(ranks: Float64Array, k: number, candidates: number): Metric {
  const queries = ranks.reduce((count, rank) => count + (Number.isNaN(rank) ? 0 : 1), 0);
  const hits = ranks.reduce((count, rank) => count + (rank < k ? 1 : 0), 0);
  return Object.freeze({ value: hits / queries, queries, candidates });
}

/** Mean of the ranks from 1 on. */
export function meanRank(ranks: Float64Array, candidates: number): Metric {
  const all = ranks.filter((rank) => !Number.isNaN(rank));
  const value = all.reduce((total, rank) => total + rank, 0) / all.length + 1;
  return Object.freeze({ value, queries: all.length, candidates });
}

/** ⌊median of the ranks from 0⌋ + 1; the median of an even number is the mean of the middle two. */
export function medianRank(ranks: Float64Array, candidates: number): Metric {
  const all = ranks.filter((rank) => !Number.isNaN(rank)).sort();
  const middle = all.length / 2;
  const median = ((all[Math.ceil(middle) - 1] ?? NaN) + (all[Math.floor(middle)] ?? NaN)) / 2;
  return Object.freeze({ value: Math.floor(median) + 1, queries: all.length, candidates });
}
