/** Several models measured on several tasks, as data: what `diptych benchmark run` writes and its report starts from. */
import type { Incomparable, MethodMean, MethodRun } from "./comparison.js";
import type { BenchmarkRow, FailedRow } from "./record.js";

export interface SuiteResult {
  readonly kind: "diptych-suite";
  readonly version: 1;
  readonly title: string;
  /** Labels of the models, in the order given; each is the `method` of its rows. */
  readonly models: readonly string[];
  /** Names of the tasks, in the suite's order. */
  readonly tasks: readonly string[];
  readonly rows: readonly BenchmarkRow[];
  /** Tasks that could not be measured, and why. */
  readonly failed: readonly FailedRow[];
  /** Main metric of each row, its interval by bootstrap over test items; rows without items have none. */
  readonly means: readonly MethodMean[];
  readonly incomparable: readonly Incomparable[];
  readonly conclusion: readonly string[];
}

/** A suite's rows as runs, one of each model: what means, tests and reports read. */
export function runsOfModels({
  models,
  rows,
  failed,
}: Pick<SuiteResult, "models" | "rows" | "failed">): readonly MethodRun[] {
  return models.map((method) => ({
    method,
    seed: 0,
    rows: rows.filter((row) => row.method === method),
    failed: failed.filter((row) => row.method === method),
    curve: [],
    folder: "",
  }));
}
