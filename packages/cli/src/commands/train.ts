/** `diptych train`: from a configuration to a trained model in a folder. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { formatDuration, type Metric } from "@diptych/core";
import { openConfigFile, train, type RunEvent, type TrainSummary } from "diptych";
import { listenForInterrupt } from "../interrupt.js";
import { createProgressSeries } from "../progress.js";
import { showRunEvent } from "../run-view.js";
import { formatTable } from "../table.js";
import { repeatable } from "./repeatable.js";

interface TrainFlags {
  readonly out?: string;
  readonly resume?: boolean;
  readonly tiny?: boolean;
  readonly set: readonly string[];
}

export function addTrainCommand(program: Command): void {
  program
    .command("train")
    .description("train the model of a configuration")
    .argument("<config>", "configuration: TypeScript, JavaScript, JSON or YAML")
    .option("-o, --out <dir>", "folder of the run (default: runs/<name of the config>)")
    .option("--resume", "go on from the newest checkpoint in that folder")
    .option("--tiny", "the config's own small version: a run of seconds, to try it out")
    .option("-s, --set <path=value>", "replace one value; may be repeated", repeatable, [])
    .addHelpText(
      "after",
      `
Examples:
  $ diptych train configs/emoji-quickstart.ts --tiny
  $ diptych train my.yaml --out runs/a --set training.batchSize=256 --set seed=1
  $ diptych train my.yaml --out runs/a --resume

The folder gets log.jsonl (one record a line), checkpoints/ and, at the end, model/.
Ctrl-C saves a checkpoint; --resume goes on from there, bit for bit as if it had not stopped.`,
    )
    .action(runTrain);
}

async function runTrain(file: string, flags: TrainFlags): Promise<void> {
  const opened = await openConfigFile(file, { tiny: flags.tiny ?? false, set: flags.set });
  const out = resolve(flags.out ?? `runs/${opened.config.name}`);
  const interrupt = listenForInterrupt(
    "Stopping: saving a checkpoint (Ctrl-C again to quit at once) …",
  );
  try {
    const summary = await trainWithProgress((on) =>
      train({ opened, out, resume: flags.resume ?? false, signal: interrupt.signal, on }),
    );
    printSummary(
      summary,
      `diptych train ${file} --out ${flags.out ?? `runs/${opened.config.name}`} --resume`,
    );
  } finally {
    interrupt.dispose();
  }
}

/** Runs `work` with bars for what it reports. */
export async function trainWithProgress(
  work: (on: (event: RunEvent) => void) => Promise<TrainSummary>,
): Promise<TrainSummary> {
  const series = createProgressSeries();
  try {
    return await work((event) => showRunEvent(series, event));
  } finally {
    series.stop();
  }
}

function printSummary(summary: TrainSummary, resumeCommand: string): void {
  const lines = [
    summary.finished
      ? `Trained ${summary.step.toLocaleString("en")} steps in ${formatDuration(summary.seconds)}; the last loss was ${summary.loss?.toFixed(4) ?? "unknown"}.`
      : `Stopped at step ${summary.step.toLocaleString("en")} of ${summary.totalSteps.toLocaleString("en")}. Go on with:\n  ${resumeCommand}`,
  ];
  if (summary.skippedSteps > 0) {
    lines.push(
      `${summary.skippedSteps.toLocaleString("en")} of these steps overflowed in float16 and were skipped; the loss scale came down.`,
    );
  }
  if (summary.modelPath) lines.push(`Model: ${summary.modelPath}`);
  for (const [name, { metrics }] of Object.entries(summary.evaluations)) {
    lines.push("", name, formatMetrics(metrics));
  }
  process.stdout.write(`${lines.join("\n")}\n`);
}

/** Metrics with the counts behind them. */
export function formatMetrics(metrics: Readonly<Record<string, Metric>>): string {
  return formatTable(
    ["metric", "value", "queries", "candidates"],
    Object.entries(metrics).map(([name, { value, queries, candidates }]) => [
      name,
      value.toFixed(4),
      String(queries),
      String(candidates),
    ]),
    [1, 2, 3],
  );
}
