/** `diptych eval`: a trained model against the evaluators of its configuration, or of another. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { evaluateModel, openConfigFile, writeJsonAtomically } from "diptych";
import { listenForInterrupt } from "../interrupt.js";
import { createProgress } from "../progress.js";
import { formatMetrics } from "./train.js";
import { repeatable } from "./repeatable.js";

interface EvalFlags {
  readonly config?: string;
  readonly json?: string;
  readonly set: readonly string[];
}

export function addEvalCommand(program: Command): void {
  program
    .command("eval")
    .description("measure a trained model")
    .argument("<model>", "model folder of a run, or an open_clip folder")
    .option("-c, --config <file>", "configuration with the evaluators (default: the model's own)")
    .option(
      "-s, --set <path=value>",
      "replace one value of --config; may be repeated",
      repeatable,
      [],
    )
    .option("--json <file>", "also write the metrics there")
    .addHelpText(
      "after",
      `
Example:
  $ diptych eval runs/a/model --config my-benchmarks.yaml --json metrics.json

An evaluator of a config: { evaluator: { type: "zeroshot-classification" }, dataset: { type: "image-folder", path: "pets" } }`,
    )
    .action(runEval);
}

async function runEval(model: string, flags: EvalFlags): Promise<void> {
  const interrupt = listenForInterrupt("Stopping …");
  const progress = createProgress("evaluating");
  try {
    const opened =
      flags.config === undefined
        ? undefined
        : await openConfigFile(flags.config, { set: flags.set });
    const evaluations = await evaluateModel({
      model: resolve(model),
      signal: interrupt.signal,
      report: (name, done, total) => progress.update(done, total, { text: name }),
      ...(opened ? { opened } : {}),
    });
    progress.stop();
    for (const [name, { metrics }] of Object.entries(evaluations)) {
      process.stdout.write(`${name}\n${formatMetrics(metrics)}\n`);
    }
    if (flags.json !== undefined) await writeJsonAtomically(flags.json, evaluations);
  } finally {
    progress.stop();
    interrupt.dispose();
  }
}
