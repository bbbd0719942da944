/** Each method's mean on each task over seeds, with the interval that seeds and items leave. */
import { createRandom } from "@diptych/core";
import type { MethodMean, MethodRun } from "./comparison.js";
import type { BenchmarkRow } from "./record.js";
import { bootstrapInterval } from "./statistics/bootstrap.js";
import { estimateMean } from "./statistics/mean-estimate.js";
import { meanInterval } from "./statistics/mean-interval.js";
import { metricValue, pairOutcomes, type RowsBySeed } from "./statistics/pair-outcomes.js";

export interface MethodMeansOptions {
  readonly methods: readonly string[];
  readonly seeds: readonly number[];
  /** 0.95 by default. */
  readonly level?: number;
}

/** Tasks of the runs in the order in which they first appear. */
export function tasksOf(runs: readonly MethodRun[]): readonly string[] {
  return [...new Set(runs.flatMap(({ rows }) => rows.map(({ task }) => task)))];
}

/** One method's rows of a task in the order of `seeds`. */
export function rowsBySeed(
  runs: readonly MethodRun[],
  { method, task, seeds }: { method: string; task: string; seeds: readonly number[] },
): RowsBySeed {
  return seeds.map((seed) =>
    runs
      .find((run) => run.method === method && run.seed === seed)
      ?.rows.find((row) => row.task === task),
  );
}

/** Means of every metric that is a number under at least one seed, by task, metric and method; the main metric first. */
export function methodMeans(
  runs: readonly MethodRun[],
  { methods, seeds, level = 0.95 }: MethodMeansOptions,
): readonly MethodMean[] {
  return tasksOf(runs).flatMap((task) => {
    const rows = new Map(
      methods.map((method) => [method, rowsBySeed(runs, { method, task, seeds })]),
    );
    return metricsOf([...rows.values()].flat()).flatMap((metric) =>
      methods.flatMap((method) => {
        const mean = meanOfMetric(rows.get(method)!, metric, level);
        return mean ? [Object.freeze({ method, task, metric, ...mean })] : [];
      }),
    );
  });
}

function metricsOf(rows: RowsBySeed): readonly string[] {
  return [
    ...new Set(
      rows.flatMap((row) => (row ? [row.mainMetric, ...Object.keys(row.evaluation.metrics)] : [])),
    ),
  ];
}

function meanOfMetric(
  bySeed: RowsBySeed,
  metric: string,
  level: number,
): Omit<MethodMean, "method" | "task" | "metric"> | undefined {
  const values = bySeed.map((row) => metricValue(row, metric) ?? null);
  const measured = bySeed.filter(
    (row): row is BenchmarkRow => metricValue(row, metric) !== undefined,
  );
  if (measured.length === 0) return undefined;
  const [table] = pairOutcomes([measured], metric) as [ReturnType<typeof pairOutcomes>[number]];
  const known = values.filter((value) => value !== null);
  const isMain = measured[0]!.mainMetric === metric;
  return {
    // The metric's own number: an evaluator may round or weight otherwise than a mean over items would.
    mean: known.reduce((sum, value) => sum + value, 0) / known.length,
    interval: meanInterval(estimateMean(table), {
      level,
      shares: table.values.every((value) => value >= 0 && value <= 1),
      binary: table.values.every((value) => value === 0 || value === 1),
      items: table.items,
    }),
    ...(isMain
      ? { bootstrap: bootstrapInterval(table, { random: createRandom("benchmark/means"), level }) }
      : {}),
    values,
  };
}
