/** A comparison as data: what was compared at which budget, what came out, and what may be concluded. Written as JSON. */
import type { BenchmarkRow, FailedRow } from "./record.js";

/** What every method may spend. */
export interface Budget {
  readonly kind: "samples" | "flops" | "seconds";
  readonly amount: number;
}

/** What an interval or a test speaks of: other seeds and other test items than these, or only one of the two. */
export type Reach = "seeds and items" | "seeds" | "items";

/** An interval for a mean: [low, high] at `level`, e.g. 0.95. */
export interface Interval {
  readonly low: number;
  readonly high: number;
  readonly level: number;
  readonly over?: Reach;
}

/** Measurements along one run, for curves. */
export interface CurvePoint {
  readonly step: number;
  /** Pictures seen. */
  readonly samples: number;
  readonly flops: number;
  readonly seconds: number;
  /** Metrics by `task/metric`, and `loss` with the loss's own terms as `loss/<term>`. */
  readonly values: Readonly<Record<string, number>>;
}

/** One method under one seed. */
export interface MethodRun {
  readonly method: string;
  readonly seed: number;
  readonly rows: readonly BenchmarkRow[];
  readonly failed: readonly FailedRow[];
  readonly curve: readonly CurvePoint[];
  /** Folder of the run, relative to the comparison's. */
  readonly folder: string;
}

/** A method's mean on one task over seeds. */
export interface MethodMean {
  readonly method: string;
  readonly task: string;
  readonly metric: string;
  readonly mean: number;
  /** Over seeds and test items together (docs/decisions/0017); null where there is one seed and no outcome by item. */
  readonly interval: Interval | null;
  /** Of the main metric, by bootstrap over seeds and items (percentiles): too narrow with few seeds, shown beside. */
  readonly bootstrap?: Interval | null;
  /** By seed, in the order of `seeds`; null where the seed's run failed. */
  readonly values: readonly (number | null)[];
}

/** A method beside the baseline on one task. */
export interface PairedTest {
  readonly method: string;
  readonly baseline: string;
  readonly task: string;
  readonly metric: string;
  /** method − baseline. */
  readonly difference: number;
  readonly interval: Interval | null;
  /** By bootstrap over seeds and items (percentiles): too narrow with few seeds, shown beside. */
  readonly bootstrap?: Interval | null;
  /** Seeds that both methods have a value for. */
  readonly seeds?: readonly number[];
  /** Paired t test over seeds; null with fewer than two. */
  readonly pSeeds: number | null;
  /** Over seeds without an assumption: all ways to flip the differences' signs; never below 2 / 2^seeds. */
  readonly pSeedsExact?: number | null;
  /** Over test items, the same item under several seeds being one (McNemar's exact test with one seed); null without outcomes by item. */
  readonly pItems: number | null;
  /** Of the interval's own test, over seeds and items together. */
  readonly p?: number | null;
  /** `p` corrected over all tests of the comparison (Holm); what the verdict rests on. */
  readonly pCorrected: number | null;
  readonly verdict: "better" | "worse" | "undecided";
}

/** Two rows that may not stand beside each other, and why. */
export interface Incomparable {
  readonly method: string;
  readonly baseline: string;
  readonly task: string;
  readonly reasons: readonly string[];
  /** `refused` (the default): not tested; `marked`: tested, but it cannot be told whether the two may be compared. */
  readonly severity?: "refused" | "marked";
}

export interface Comparison {
  readonly kind: "diptych-comparison";
  readonly version: 1;
  readonly title: string;
  readonly baseline: string;
  /** In the order given; the baseline first. */
  readonly methods: readonly string[];
  readonly seeds: readonly number[];
  readonly budget: Budget;
  readonly runs: readonly MethodRun[];
  readonly means: readonly MethodMean[];
  readonly tests: readonly PairedTest[];
  readonly incomparable: readonly Incomparable[];
  /** Plain sentences: what may be concluded and what not; the first one is the answer. */
  readonly conclusion: readonly string[];
}
