/** What a report shows, whether it comes from a comparison or from a suite: one form that every section reads. */
import type { ClassOutcomes, Metric } from "@diptych/core";
import type {
  Budget,
  Comparison,
  Incomparable,
  MethodMean,
  MethodRun,
  PairedTest,
} from "../comparison.js";
import type { BenchmarkRow, FailedRow } from "../record.js";
import { runsOfModels, type SuiteResult } from "../suite-result.js";

export type ReportInput = Comparison | SuiteResult;

export interface ReportView {
  readonly title: string;
  /** `method` over seeds, `model` where each was only measured. */
  readonly noun: "method" | "model";
  readonly methods: readonly string[];
  /** Null where nothing is compared with one of them. */
  readonly baseline: string | null;
  readonly seeds: readonly number[];
  readonly budget: Budget | null;
  /** In the order in which they first occur. */
  readonly tasks: readonly string[];
  readonly runs: readonly MethodRun[];
  readonly means: readonly MethodMean[];
  readonly tests: readonly PairedTest[];
  readonly incomparable: readonly Incomparable[];
  readonly failed: readonly (FailedRow & { readonly seed: number | null })[];
  readonly conclusion: readonly string[];
}

export function viewOf(input: ReportInput): ReportView {
  return input.kind === "diptych-comparison" ? viewOfComparison(input) : viewOfSuite(input);
}

function viewOfComparison(comparison: Comparison): ReportView {
  const { runs } = comparison;
  return Object.freeze({
    ...comparison,
    noun: "method",
    tasks: unique(runs.flatMap(({ rows, failed }) => [...rows, ...failed].map(({ task }) => task))),
    failed: runs.flatMap(({ failed, seed }) => failed.map((one) => ({ ...one, seed }))),
  });
}

function viewOfSuite(suite: SuiteResult): ReportView {
  const { models, failed } = suite;
  return Object.freeze({
    ...suite,
    noun: "model",
    methods: models,
    baseline: null,
    seeds: [],
    budget: null,
    tests: [],
    runs: runsOfModels(suite),
    failed: failed.map((one) => ({ ...one, seed: null })),
  });
}

export function unique<T>(values: readonly T[]): readonly T[] {
  return [...new Set(values)];
}

/** Rows of a task, of one method or of all, in the order of runs. */
export function rowsOf(
  { runs }: ReportView,
  task: string,
  method?: string,
): readonly BenchmarkRow[] {
  return runs
    .filter((run) => method === undefined || run.method === method)
    .flatMap(({ rows }) => rows)
    .filter((row) => row.task === task);
}

/** Mean of what is finite; NaN without any. Saved numbers that were not finite come back as null and count as such. */
export function meanOf(values: readonly (number | null | undefined)[]): number {
  const finite = values.filter((value): value is number => Number.isFinite(value));
  return finite.reduce((sum, value) => sum + value, 0) / finite.length;
}

/** Mean over rows of a metric that `pick` finds in each. */
export function meanMetric(
  rows: readonly BenchmarkRow[],
  pick: (row: BenchmarkRow) => Metric | undefined,
): number {
  return meanOf(rows.map((row) => pick(row)?.value));
}

/** Recall (or average precision) by class, its mean over a method's rows; undefined where rows have no or other classes. */
export function meanByClass(
  rows: readonly BenchmarkRow[],
):
  | { readonly outcomes: ClassOutcomes; readonly values: readonly number[]; readonly what: string }
  | undefined {
  const all = rows.flatMap(({ evaluation }) => evaluation.classes ?? []);
  const [first] = all;
  if (!first || all.some(({ names }) => names.join("\n") !== first.names.join("\n")))
    return undefined;
  const precise = all.every(({ averagePrecision }) => averagePrecision !== undefined);
  return {
    outcomes: first,
    what: precise ? "average precision" : "recall",
    values: first.names.map((_, i) =>
      meanOf(all.map((one) => (precise ? one.averagePrecision?.[i] : one.recall[i]))),
    ),
  };
}

/** Metric that stands for a task. */
export function mainMetricOf(view: ReportView, task: string): string | undefined {
  return rowsOf(view, task)[0]?.mainMetric ?? view.means.find((one) => one.task === task)?.metric;
}

/** Means of the metric that stands for a task; those of its other metrics stand in the table of all. */
export function mainMeans(view: ReportView, task: string): readonly MethodMean[] {
  const metric = mainMetricOf(view, task);
  return view.means.filter((one) => one.task === task && one.metric === metric);
}
