/** `diptych benchmark compare`: methods trained at equal cost under the same seeds, and an honest answer. */
import { join, relative, resolve } from "node:path";
import type { Command } from "commander";
import {
  formatBudget,
  parseBudget,
  planComparison,
  reportComparison,
  runComparison,
  type Budget,
  type Comparison,
  type ComparisonEvent,
  type ComparisonOutcome,
  type ComparisonPlan,
} from "@diptych/benchmark";
import { ConfigError, formatDuration } from "@diptych/core";
import type { RunEvent } from "diptych";
import { positiveInteger } from "../clip-options.js";
import { listenForInterrupt } from "../interrupt.js";
import { createProgressSeries } from "../progress.js";
import { showRunEvent } from "../run-view.js";
import { comparisonTables, planTable } from "./benchmark-tables.js";
import { repeatable } from "./repeatable.js";

interface CompareFlags {
  readonly seeds: readonly number[];
  readonly budget: Budget;
  readonly out?: string;
  readonly title?: string;
  readonly evaluateEvery?: number;
  readonly tiny?: boolean;
  readonly set: readonly string[];
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export function addBenchmarkCompareCommand(group: Command): void {
  group
    .command("compare")
    .description("train methods at equal cost under several seeds, and say what may be concluded")
    .argument("<baseline>", "configuration of the baseline; its evaluators measure every method")
    .argument("<methods...>", "configurations of the methods beside it")
    .option("--seeds <n or list>", "5: seeds 0 to 4; 0,1,7: these", parseSeeds, [0, 1, 2, 3, 4])
    .requiredOption(
      "--budget <kind=amount>",
      "what each run may spend: samples=200k, flops=2e15 or seconds=120",
      parseBudget,
    )
    .option("-o, --out <dir>", "folder of the comparison (default: runs/compare-<baseline>)")
    .option("--title <text>", "heading of the report")
    .option(
      "--evaluate-every <pictures>",
      "pictures between two points of a curve (default: eight points a run)",
      positiveInteger,
    )
    .option("--tiny", "the configs' own small versions, to see that all of it runs")
    .option(
      "-s, --set <path=value>",
      "replace one value in every method; may be repeated",
      repeatable,
      [],
    )
    .option("--dry-run", "only show what would be trained")
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ diptych benchmark compare clip.ts mine.ts --seeds 5 --budget samples=200k
  $ diptych benchmark compare clip.ts mine.ts other.ts --seeds 0,1,2 --budget flops=2e15 --dry-run

What is equal for all: the budget, the seeds and with them the order of the data, and the evaluators,
which are the baseline's. What a configuration says of steps, epochs or duration is set aside. Runs
take turns, seed by seed. Training data, preparation of pictures or precision that differ between two
methods are named as the reason why their numbers may not stand side by side.

A budget of seconds depends on the machine and on what else runs there; one of samples or FLOPs does not.
Steps are timed before the first run, method by method in turns; as many as fit into the seconds are
trained under every seed.

Ctrl-C saves; the same command goes on. A run that is finished is not repeated. The folder gets
comparison.json after every run, and at the end report.html, report.md and report.csv. The exit code
is 1 where all runs of a method failed, 130 after Ctrl-C.`,
    )
    .action(runCompare);
}

/** `5` → 0 to 4; `0,1,7` → these. */
function parseSeeds(text: string): readonly number[] {
  const parts = text.split(",").map((part) => part.trim());
  const numbers = parts.map(Number);
  if (parts.some((part) => !/^\d+$/.test(part))) {
    throw new ConfigError(
      `cli/benchmark: --seeds: expected how many (5) or which (0,1,7), got "${text}".`,
    );
  }
  const [count = 0] = numbers;
  return text.includes(",") ? numbers : Array.from({ length: count }, (_, i) => i);
}

async function runCompare(
  baseline: string,
  methods: readonly string[],
  flags: CompareFlags,
): Promise<void> {
  const interrupt = listenForInterrupt(
    "Stopping: saving a checkpoint (Ctrl-C again to quit at once) …",
  );
  const view = createView();
  const { seeds, budget, title, evaluateEvery, tiny = false, set } = flags;
  const options = { files: [baseline, ...methods], seeds, budget, tiny, set };
  try {
    if (flags.dryRun) {
      const plan = await planComparison(options, { on: view.onRun, signal: interrupt.signal });
      view.stop();
      process.stdout.write(`${planTable(plan)}\n`);
      return;
    }
    const out = resolve(flags.out ?? defaultFolder(baseline));
    const outcome = await runComparison({
      ...options,
      out,
      ...(title === undefined ? {} : { title }),
      ...(evaluateEvery === undefined ? {} : { evaluateEvery }),
      on: view.on,
      onRun: view.onRun,
      signal: interrupt.signal,
    });
    view.stop();
    await show(outcome, { out, json: flags.json ?? false });
  } finally {
    view.stop();
    interrupt.dispose();
  }
}

function defaultFolder(baseline: string): string {
  const name = baseline.replace(/^.*[\\/]/, "").replace(/\.[^.]+$/, "");
  return join("runs", `compare-${name}`);
}

async function show(
  { finished, comparison, plan }: ComparisonOutcome,
  { out, json }: { readonly out: string; readonly json: boolean },
): Promise<void> {
  if (!finished || !comparison) {
    process.exitCode = 130;
    process.stdout.write(
      `Stopped; ${comparison?.runs.length ?? 0} runs are done. The same command goes on.\n`,
    );
    return;
  }
  const report = await reportComparison({ comparison, opened: plan, out });
  process.stdout.write(
    json
      ? `${JSON.stringify(comparison, null, 2)}\n`
      : `${comparisonTables(comparison)}\n\n${comparison.conclusion.join("\n")}\n\nLook at it: ${report.html}\nIn ${relative(process.cwd(), out) || "."}: comparison.json, report.md, report.csv\n`,
  );
  if (failedMethods(comparison).length > 0) process.exitCode = 1;
}

/** Methods none of whose runs came to a result. */
function failedMethods({ methods, runs }: Comparison): readonly string[] {
  return methods.filter((method) =>
    runs.every((run) => run.method !== method || run.rows.length === 0),
  );
}

interface View {
  readonly on: (event: ComparisonEvent) => void;
  readonly onRun: (event: RunEvent) => void;
  readonly stop: () => void;
}

/** A line for each run, with the time that is left for all, and a bar for the run in progress. */
function createView(): View {
  const series = createProgressSeries();
  const begun = performance.now();
  let present: PresentRun | undefined;
  let trained = 0;
  return {
    on: (event) => {
      switch (event.event) {
        case "plan":
          series.log(describePlan(event.plan, event.runs));
          break;
        case "run":
          present = event;
          break;
        case "result": {
          if (event.status === "done") trained++;
          const seconds = (performance.now() - begun) / 1000;
          const left = present ? present.runs - present.index : 0;
          const time =
            trained > 0 && left > 0
              ? ` · about ${formatDuration((seconds / trained) * left)} left`
              : "";
          series.log(`${labelOf(present)}${describeResult(event)}${time}`);
          break;
        }
      }
    },
    onRun: (event) => showRunEvent(series, event, labelOf(present)),
    stop: () => series.stop(),
  };
}

type PresentRun = Extract<ComparisonEvent, { event: "run" }>;

function labelOf(run: PresentRun | undefined): string {
  return run ? `run ${run.index} of ${run.runs}: ${run.method}, seed ${run.seed}` : "preparing";
}

function describePlan({ methods, seeds, budget }: ComparisonPlan, runs: number): string {
  const notes = methods.flatMap(({ method, notes: own }) =>
    own.map((note) => `${method}: ${note}`),
  );
  return [
    `${methods.length} methods × ${seeds.length} seeds = ${runs} runs of ${formatBudget(budget)}.`,
    ...notes,
  ].join("\n");
}

function describeResult({ run, status }: Extract<ComparisonEvent, { event: "result" }>): string {
  if (status === "failed") return ` failed: ${run.failed[0]?.reason ?? "unknown"}`;
  const metrics = run.rows.map(({ task, mainMetric, evaluation }) => {
    const value = evaluation.metrics[mainMetric]?.value ?? NaN;
    return `${task} ${mainMetric} ${value.toFixed(4)}`;
  });
  return `: ${metrics.join(" · ")}${status === "there" ? " (was there)" : ""}`;
}
