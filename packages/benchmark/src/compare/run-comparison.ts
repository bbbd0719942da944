/** A comparison from its plan to its result: every method under every seed, in turns, and what it all comes to. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeJsonAtomically, type RunListener } from "diptych";
import type { Comparison, MethodRun } from "../comparison.js";
import { fileNames } from "../file-names.js";
import { codeVersion } from "../provenance/code-version.js";
import { summarise } from "../summarise.js";
import { readContent } from "./data-content.js";
import {
  openSeed,
  planComparison,
  type ComparisonOptions,
  type ComparisonPlan,
  type PlannedMethod,
} from "./plan-comparison.js";
import { runMethod } from "./run-method.js";
import { keptIn } from "./step-seconds.js";

/** Points of a curve, where nothing else is asked for. */
const CURVE_POINTS = 8;

export type ComparisonEvent =
  | { readonly event: "plan"; readonly plan: ComparisonPlan; readonly runs: number }
  | {
      readonly event: "run";
      /** From 1. */
      readonly index: number;
      readonly runs: number;
      readonly method: string;
      readonly seed: number;
    }
  | {
      readonly event: "result";
      readonly method: string;
      readonly seed: number;
      readonly status: "done" | "there" | "failed";
      readonly run: MethodRun;
    };

export interface RunComparisonOptions extends ComparisonOptions {
  /** Folder of the comparison: runs, `comparison.json`. */
  readonly out: string;
  readonly title?: string;
  /** Pictures between two measurements along a run; 8 measurements by default. */
  readonly evaluateEvery?: number;
  readonly on?: (event: ComparisonEvent) => void;
  /** What the run in progress says. */
  readonly onRun?: RunListener;
  readonly signal?: AbortSignal;
}

export interface ComparisonOutcome {
  readonly plan: ComparisonPlan;
  /** False when it was interrupted; the same call goes on. */
  readonly finished: boolean;
  /** Of the runs that there are; undefined before the first. */
  readonly comparison: Comparison | undefined;
}

/** File of a comparison in its folder. */
const COMPARISON_FILE = "comparison.json";

/**
 * Trains each method under each seed at the same budget, on the same order of data (a seed decides it), and measures all
 * by the baseline's evaluators. Seeds take turns rather than methods, so that a machine that slows down slows all alike.
 * `comparison.json` is written after every run.
 *
 * @throws ConfigError as {@link planComparison}, and where the folder holds runs of something else.
 */
export async function runComparison(options: RunComparisonOptions): Promise<ComparisonOutcome> {
  const { seeds, out, on, onRun = () => undefined, signal } = options;
  const watch = { on: onRun, signal };
  const plan = await planComparison(options, { ...watch, timer: keptIn(out) });
  const { methods, evaluateWith } = plan;
  const total = seeds.length * methods.length;
  on?.({ event: "plan", plan, runs: total });
  await mkdir(out, { recursive: true });
  const code = await codeVersion();
  const folders = fileNames(
    methods.map(({ method }) => method),
    "method",
  );
  const contents = await readContent(
    methods.map(({ opened }) => opened),
    evaluateWith,
    watch,
  );
  const runs: MethodRun[] = [];
  let comparison: Comparison | undefined;
  let index = 0;
  for (const seed of seeds) {
    for (const [i, planned] of methods.entries()) {
      const { method } = planned;
      index++;
      on?.({ event: "run", index, runs: total, method, seed });
      const outcome = await runMethod({
        planned,
        opened: await openSeed(planned, seed, options),
        seed,
        out,
        folder: `runs/${folders[i]}-seed${seed}`,
        evaluateWith,
        content: contents[i]!,
        evaluateAt: pointsOf(planned, options.evaluateEvery),
        code,
        on: onRun,
        signal,
      });
      if (outcome.status === "interrupted") return { plan, finished: false, comparison };
      runs.push(outcome.run);
      on?.({ event: "result", method, seed, status: outcome.status, run: outcome.run });
      comparison = comparisonOf(options, plan, runs);
      await writeJsonAtomically(join(out, COMPARISON_FILE), comparison);
    }
  }
  return { plan, finished: true, comparison };
}

/** What the runs so far say. */
function comparisonOf(
  { title, budget, seeds }: RunComparisonOptions,
  { methods: planned }: ComparisonPlan,
  runs: readonly MethodRun[],
): Comparison {
  const methods = planned.map(({ method }) => method);
  const [baseline = ""] = methods;
  const present = seeds.filter((seed) => runs.some((run) => run.seed === seed));
  return {
    kind: "diptych-comparison",
    version: 1,
    title: title ?? methods.join(" and "),
    baseline,
    methods,
    seeds: present,
    budget,
    runs: [...runs],
    ...summarise(runs, { baseline, methods, seeds: present, budget }),
  };
}

/** Steps after which to measure; the end is measured anyway. */
function pointsOf({ steps, cost }: PlannedMethod, every: number | undefined): readonly number[] {
  const stride =
    every === undefined ? steps / CURVE_POINTS : Math.max(1, Math.round(every / cost.samples));
  const points: number[] = [];
  for (let at = stride; Math.round(at) < steps; at += stride) points.push(Math.round(at));
  return [...new Set(points)].filter((point) => point >= 1);
}
