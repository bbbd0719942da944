/** Each method's rows against the baseline's of the same seed: which pairs are refused, which marked, what is to be known. */
import type { Budget, Incomparable, MethodRun } from "../comparison.js";
import { listText } from "../conclusion/words.js";
import { rowsBySeed, tasksOf } from "../method-means.js";
import { whyIncomparable, type Aspect, type Difference } from "./why-incomparable.js";

export interface JudgePairsOptions {
  readonly baseline: string;
  readonly methods: readonly string[];
  readonly seeds: readonly number[];
  readonly budget: Budget;
  readonly vary?: readonly Aspect[];
}

export interface JudgedPairs {
  readonly incomparable: readonly Incomparable[];
  /** What a reader should know, as whole sentences, each once. */
  readonly notes: readonly string[];
}

export function judgePairs(
  runs: readonly MethodRun[],
  { baseline, methods, seeds, ...options }: JudgePairsOptions,
): JudgedPairs {
  const incomparable: Incomparable[] = [];
  /** Methods by what is to be known of them beside the baseline. */
  const notes = new Map<string, Set<string>>();
  for (const task of tasksOf(runs)) {
    const theirs = rowsBySeed(runs, { method: baseline, task, seeds });
    for (const method of methods) {
      if (method === baseline) continue;
      const mine = rowsBySeed(runs, { method, task, seeds });
      const found = seeds.flatMap((_, index) => {
        const [a, b] = [theirs[index], mine[index]];
        return a && b ? whyIncomparable(a.provenance, b.provenance, options) : [];
      });
      const reasons = reasonsOf(found);
      if (reasons.refused.length > 0)
        incomparable.push({
          method,
          baseline,
          task,
          reasons: reasons.refused,
          severity: "refused",
        });
      else if (reasons.unknown.length > 0)
        incomparable.push({ method, baseline, task, reasons: reasons.unknown, severity: "marked" });
      for (const reason of reasons.note)
        notes.set(reason, (notes.get(reason) ?? new Set()).add(method));
    }
  }
  const others = methods.filter((method) => method !== baseline);
  const sentences = [...notes].map(([reason, whose]) =>
    whose.size === others.length ? reason : `${listText([baseline, ...whose])}: ${reason}`,
  );
  return Object.freeze({ incomparable, notes: sentences });
}

/** Whether a method may not be compared with the baseline on a task; a pair that is marked may, with its reason told. */
export function isRefused(
  incomparable: readonly Incomparable[],
  method: string,
  task: string,
): boolean {
  return incomparable.some(
    (one) => one.method === method && one.task === task && one.severity !== "marked",
  );
}

function reasonsOf(
  found: readonly Difference[],
): Readonly<Record<Difference["severity"], readonly string[]>> {
  const of = (wanted: Difference["severity"]): readonly string[] => [
    ...new Set(found.flatMap(({ severity, reason }) => (severity === wanted ? [reason] : []))),
  ];
  return { refused: of("refused"), unknown: of("unknown"), note: of("note") };
}
