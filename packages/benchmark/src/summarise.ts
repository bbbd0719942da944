/** All that is said of a comparison's runs, in one call: means, paired tests, what may not stand side by side, sentences. */
import { ConfigError } from "@diptych/core";
import { isRefused, judgePairs } from "./comparability/judge-pairs.js";
import type { Aspect } from "./comparability/why-incomparable.js";
import type { Budget, Comparison, MethodRun } from "./comparison.js";
import { conclude, type ConclusionFailure } from "./conclude.js";
import { methodMeans } from "./method-means.js";
import { pairedTests } from "./paired-tests.js";

export interface SummariseOptions {
  readonly baseline: string;
  /** In the order given; the baseline first. */
  readonly methods: readonly string[];
  readonly seeds: readonly number[];
  readonly budget: Budget;
  /** Of the intervals; 0.95 by default. */
  readonly level?: number;
  /** What of the runs differs on purpose, beside towers, loss and optimizer. */
  readonly vary?: readonly Aspect[];
}

export type Summary = Pick<Comparison, "means" | "tests" | "incomparable" | "conclusion">;

/**
 * Judges the runs of a comparison: how, and what holds with how many seeds, is in docs/comparing.md.
 *
 * The same runs give the same answer: what is drawn (bootstrap, flips of signs) is drawn from fixed seeds.
 *
 * @throws ConfigError without seeds or methods, where the baseline is not among them, or on a level outside (0, 1).
 */
export function summarise(runs: readonly MethodRun[], options: SummariseOptions): Summary {
  checkOptions(options);
  const { baseline, methods, seeds, level = 0.95 } = options;
  const { incomparable, notes } = judgePairs(runs, options);
  const refuses = (method: string, task: string): boolean => isRefused(incomparable, method, task);
  const means = methodMeans(runs, { methods, seeds, level });
  const tests = pairedTests(runs, { baseline, methods, seeds, level, refuses });
  const failures = failuresOf(runs);
  const conclusion = conclude({ ...options, means, tests, incomparable, failures, notes });
  return Object.freeze({ means, tests, incomparable, conclusion });
}

function checkOptions({ baseline, methods, seeds, level = 0.95 }: SummariseOptions): void {
  const wrong = (what: string, expected: string, got: string, fix: string): ConfigError =>
    new ConfigError(`benchmark/summarise: ${what}: expected ${expected}, got ${got}. ${fix}`);
  if (seeds.length === 0)
    throw wrong("seeds", "at least one", "none", "Give some, e.g. --seeds 5.");
  if (new Set(seeds).size < seeds.length)
    throw wrong("seeds", "each once", `[${seeds.join(", ")}]`, "A seed twice is one run twice.");
  if (!methods.includes(baseline))
    throw wrong("baseline", `one of ${methods.join(", ")}`, `"${baseline}"`, "Name one of them.");
  if (!(level > 0 && level < 1))
    throw wrong("level", "a number between 0 and 1", String(level), "Take 0.95.");
}

/** One of a method, task and reason, with all its seeds. */
function failuresOf(runs: readonly MethodRun[]): readonly ConclusionFailure[] {
  const found = new Map<string, ConclusionFailure>();
  for (const { seed, failed } of runs) {
    for (const { method, task, reason } of failed) {
      const key = JSON.stringify([method, task, reason]);
      const seeds = [...(found.get(key)?.seeds ?? []), seed];
      found.set(key, { method, task, reason, seeds });
    }
  }
  return [...found.values()];
}
