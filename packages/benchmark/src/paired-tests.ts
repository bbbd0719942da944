/** Each method beside the baseline on each task's main metric, seed by seed and item by item. */
import { createRandom } from "@diptych/core";
import type { MethodRun, PairedTest } from "./comparison.js";
import { rowsBySeed, tasksOf } from "./method-means.js";
import type { BenchmarkRow } from "./record.js";
import { bootstrapInterval } from "./statistics/bootstrap.js";
import { holm } from "./statistics/holm.js";
import { estimateMean } from "./statistics/mean-estimate.js";
import { meanInterval, meanP } from "./statistics/mean-interval.js";
import { differences, itemMeans, seedMeans, seedTable } from "./statistics/outcome-table.js";
import { metricValue, pairOutcomes } from "./statistics/pair-outcomes.js";
import { signFlipP } from "./statistics/sign-flip.js";

export interface PairedTestsOptions {
  readonly baseline: string;
  readonly methods: readonly string[];
  readonly seeds: readonly number[];
  readonly level?: number;
  /** Pairs that are left out: they may not be compared. */
  readonly refuses?: (method: string, task: string) => boolean;
}

type Uncorrected = Omit<PairedTest, "pCorrected" | "verdict">;

/**
 * Paired tests over the seeds that both have, p corrected over all of them by Holm's method at once.
 *
 * The verdict is `better` or `worse` where the corrected p of the test over seeds and items together lies below 1 − level.
 */
export function pairedTests(
  runs: readonly MethodRun[],
  { baseline, methods, seeds, level = 0.95, refuses = () => false }: PairedTestsOptions,
): readonly PairedTest[] {
  const found = tasksOf(runs).flatMap((task) =>
    methods.flatMap((method) => {
      if (method === baseline || refuses(method, task)) return [];
      const test = pairedTest(runs, { baseline, method, task, seeds, level });
      return test ? [test] : [];
    }),
  );
  const corrected = holm(found.map(({ p }) => p ?? null));
  return found.map((test, index) => {
    const pCorrected = corrected[index] ?? null;
    const certain = pCorrected !== null && pCorrected < 1 - level;
    // A metric such as a calibration error or a rank is better where it is smaller.
    const sign = isLowerBetter(test.metric) ? -1 : 1;
    const verdict = !certain ? "undecided" : sign * test.difference > 0 ? "better" : "worse";
    return Object.freeze({ ...test, pCorrected, verdict });
  });
}

/** Whether a smaller value of the metric is the better one: errors, losses, ranks. */
export function isLowerBetter(metric: string): boolean {
  return /error|loss|rank$|perplexity|gap$/i.test(metric);
}

interface Pair {
  readonly baseline: string;
  readonly method: string;
  readonly task: string;
  readonly seeds: readonly number[];
  readonly level: number;
}

function pairedTest(runs: readonly MethodRun[], pair: Pair): Uncorrected | undefined {
  const { baseline, method, task, seeds, level } = pair;
  const mine = rowsBySeed(runs, { method, task, seeds });
  const theirs = rowsBySeed(runs, { method: baseline, task, seeds });
  const metric = theirs.find((row) => row !== undefined)?.mainMetric;
  if (metric === undefined) return undefined;
  const both = seeds.flatMap(
    (seed, index): readonly (readonly [number, BenchmarkRow, BenchmarkRow])[] => {
      const [a, b] = [mine[index], theirs[index]];
      const measured = metricValue(a, metric) !== undefined && metricValue(b, metric) !== undefined;
      return a && b && measured ? [[seed, a, b]] : [];
    },
  );
  if (both.length === 0) return undefined;
  return {
    method,
    baseline,
    task,
    metric,
    seeds: both.map(([seed]) => seed),
    ...compare(both, metric, level),
  };
}

function compare(
  both: readonly (readonly [number, BenchmarkRow, BenchmarkRow])[],
  metric: string,
  level: number,
): Pick<
  Uncorrected,
  "difference" | "interval" | "bootstrap" | "pSeeds" | "pSeedsExact" | "pItems" | "p"
> {
  const [a, b] = pairOutcomes(
    [both.map(([, mine]) => mine), both.map(([, , theirs]) => theirs)],
    metric,
  ) as [ReturnType<typeof seedTable>, ReturnType<typeof seedTable>];
  const table = differences(a, b);
  const estimate = estimateMean(table);
  const bySeed = Array.from(seedMeans(table));
  const random = createRandom("benchmark/tests");
  const many = bySeed.length > 1;
  const pSeedsExact = many ? signFlipP(Float64Array.from(bySeed), random.split("seeds")) : null;
  const pItems = table.items > 1 ? signFlipP(itemMeans(table), random.split("items")) : null;
  return {
    difference: estimate.mean,
    interval: meanInterval(estimate, { level }),
    bootstrap: bootstrapInterval(table, { random: random.split("bootstrap"), level }),
    pSeeds: many ? meanP(estimateMean(seedTable(bySeed))) : null,
    pSeedsExact,
    pItems,
    // Differences that never vary have no t: then the flips of signs decide.
    p: meanP(estimate) ?? pItems ?? pSeedsExact,
  };
}
