/** Comparing contrastive models: suites, equal budgets, statistics, published baselines, reports. */
export type {
  Budget,
  Comparison,
  CurvePoint,
  Incomparable,
  Interval,
  MethodMean,
  MethodRun,
  PairedTest,
} from "./comparison.js";
export type { BenchmarkRow, DataIdentity, FailedRow, Provenance, TrainingCost } from "./record.js";
