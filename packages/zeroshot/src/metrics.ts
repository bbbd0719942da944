/** Metrics of ranks: the share of queries whose answer is among the first k, and the mean recall over classes. */
import type { Metric } from "@diptych/core";

/** Share of `ranks` (from 0) below k. An empty list gives NaN: there is nothing to measure. */
export function recallAt(
  ranks: readonly number[] | Float64Array,
  k: number,
  candidates: number,
): Metric {
  const hits = ranks.filter((rank) => rank < k).length;
  return Object.freeze({ value: hits / ranks.length, queries: ranks.length, candidates });
}

/** Mean over classes of the share of its queries that rank first (balanced accuracy). */
export function meanPerClassRecall(
  ranks: readonly number[],
  classes: readonly number[],
  candidates: number,
): Metric {
  const counts = new Map<number, { hits: number; queries: number }>();
  ranks.forEach((rank, i) => {
    const key = classes[i] ?? -1;
    const count = counts.get(key) ?? { hits: 0, queries: 0 };
    counts.set(key, { hits: count.hits + (rank === 0 ? 1 : 0), queries: count.queries + 1 });
  });
  const recalls = [...counts.values()].map(({ hits, queries }) => hits / queries);
  const value = recalls.reduce((total, recall) => total + recall, 0) / recalls.length;
  return Object.freeze({ value, queries: ranks.length, candidates });
}
