/** What is taken for what: the most frequent mistakes by method, and the classes among which they happen as a matrix. */
import type { ClassOutcomes } from "@diptych/core";
import type { BenchmarkRow } from "../record.js";

export interface MethodConfusion {
  readonly method: string;
  readonly names: readonly string[];
  /** Items of each class over all rows. */
  readonly queries: readonly number[];
  /** Counts over all rows by `true,guessed`. */
  readonly counts: ReadonlyMap<string, number>;
}

/** Counts of all rows of a method together; undefined where they have none or their classes differ. */
export function addConfusion(
  method: string,
  rows: readonly BenchmarkRow[],
): MethodConfusion | undefined {
  const all = rows.flatMap(({ evaluation }): readonly ClassOutcomes[] =>
    evaluation.classes?.confusion ? [evaluation.classes] : [],
  );
  const [first] = all;
  if (!first || all.some(({ names }) => names.length !== first.names.length)) return undefined;
  const counts = new Map<string, number>();
  for (const { confusion = [] } of all) {
    for (const [from, to, count] of confusion) {
      const key = `${from},${to}`;
      counts.set(key, (counts.get(key) ?? 0) + count);
    }
  }
  const queries = first.names.map((_, i) =>
    all.reduce((sum, one) => sum + (one.queries[i] ?? 0), 0),
  );
  return { method, names: first.names, queries, counts };
}

export interface Mistake {
  readonly expected: string;
  readonly guessed: string;
  readonly key: string;
  /** Share of the class's items by method, in the order given. */
  readonly shares: readonly number[];
}

/** The pairs that are mixed up most often, all methods together. */
export function frequentMistakes(
  confusions: readonly MethodConfusion[],
  most: number,
): readonly Mistake[] {
  const [first] = confusions;
  if (!first) return [];
  const totals = new Map<string, number>();
  for (const { counts } of confusions) {
    for (const [key, count] of counts) {
      const [from, to] = key.split(",");
      if (from !== to) totals.set(key, (totals.get(key) ?? 0) + count);
    }
  }
  return [...totals]
    .sort((a, b) => b[1] - a[1])
    .slice(0, most)
    .map(([key]) => {
      const [from = 0, to = 0] = key.split(",").map(Number);
      return {
        key,
        expected: first.names[from] ?? "",
        guessed: first.names[to] ?? "",
        shares: confusions.map(
          ({ counts, queries }) => (counts.get(key) ?? 0) / (queries[from] ?? 0),
        ),
      };
    });
}

/** The classes of the most frequent mistakes, at most `most`, in the order of the set. */
export function confusedClasses(
  confusions: readonly MethodConfusion[],
  most: number,
): readonly number[] {
  const [first] = confusions;
  if (!first) return [];
  if (first.names.length <= most) return [...first.names.keys()];
  const chosen = new Set<number>();
  for (const { key } of frequentMistakes(confusions, Infinity)) {
    const pair = key
      .split(",")
      .map(Number)
      .filter((one) => !chosen.has(one));
    if (chosen.size + pair.length <= most) pair.forEach((one) => chosen.add(one));
    if (chosen.size >= most) break;
  }
  return [...chosen].sort((a, b) => a - b);
}
