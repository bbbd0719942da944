/** From numbers to plain sentences: what a comparison shows, and what may not be concluded from it. */
import type { Budget, Comparison, Incomparable, MethodMean, PairedTest } from "./comparison.js";

export interface ConclusionInput {
  readonly baseline: string;
  /** The baseline first. */
  readonly methods: readonly string[];
  readonly seeds: readonly number[];
  readonly budget: Budget;
  readonly means: readonly MethodMean[];
  readonly tests: readonly PairedTest[];
  readonly incomparable: readonly Incomparable[];
  /** What could not be measured, once a method and task, with the seeds. */
  readonly failures: readonly ConclusionFailure[];
}

export interface ConclusionFailure {
  readonly method: string;
  readonly task: string;
  readonly seeds: readonly number[];
  readonly reason: string;
}

/** Plain sentences; the first one is the answer, the last ones say what may not be concluded. */
export function conclude(input: ConclusionInput): Comparison["conclusion"] {
  void input;
  return [];
}
