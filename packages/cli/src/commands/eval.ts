/** `diptych eval`: a trained model against the evaluators of its configuration, or of another. */
import { existsSync } from "node:fs";
import { basename, resolve } from "node:path";
import { Option, type Command } from "commander";
import { ConfigError } from "@diptych/core";
import { evaluateModel, openEvaluationFile } from "diptych";
import { listenForInterrupt } from "../interrupt.js";
import { createProgressSeries } from "../progress.js";
import { formatTask } from "./eval-report.js";
import { checkResultFolder, writeResults } from "./eval-results.js";
import { repeatable } from "./repeatable.js";

interface EvalFlags {
  readonly config?: string;
  readonly json?: string;
  readonly as?: string;
  readonly language: string;
  readonly cache: boolean;
  readonly set: readonly string[];
}

export function addEvalCommand(program: Command): void {
  program
    .command("eval")
    .description("measure a trained model")
    .argument("<model>", "model folder of a run, or a public checkpoint, by path or name")
    .option(
      "-c, --config <file>",
      "configuration with the evaluators, which may hold nothing else (default: the model's own)",
    )
    .option(
      "-s, --set <path=value>",
      "replace one value of --config; may be repeated",
      repeatable,
      [],
    )
    .option(
      "--json <dir>",
      "also write the results there: a file a task in CLIP_benchmark's layout, and all else in details/",
    )
    .option("--as <model,pretrained>", "how those files name the model")
    .addOption(new Option("--language <code>", "language that they give the prompts").default("en"))
    .option("--no-cache", "compute all features anew, and keep none in the cache folder")
    .addHelpText(
      "after",
      `
Examples:
  $ diptych eval runs/a/model
  $ diptych eval runs/a/model --config my-benchmarks.yaml --json results --as ViT-S,seed0
  $ clip_benchmark build results --output benchmark.csv     (CLIP_benchmark's own table of them)

An evaluator of a config: { evaluator: { type: "zeroshot-classification" }, dataset: { type: "image-folder", path: "pets" } }
Protocols, rules for ties and formats: docs/evaluation.md. Ctrl-C stops without writing anything.`,
    )
    .action(runEval);
}

async function runEval(source: string, flags: EvalFlags): Promise<void> {
  if (flags.json !== undefined) await checkResultFolder(flags.json);
  const named = flags.as === undefined ? undefined : parseName(flags.as);
  const interrupt = listenForInterrupt("Stopping …");
  const progress = createProgressSeries();
  try {
    const opened =
      flags.config === undefined
        ? undefined
        : await openEvaluationFile(flags.config, { set: flags.set });
    const { model, tasks } = await evaluateModel({
      model: existsSync(source) ? resolve(source) : source,
      fingerprints: flags.json !== undefined,
      cache: flags.cache,
      log: (text) => process.stderr.write(`${text}\n`),
      signal: interrupt.signal,
      report: (name, done, total) => progress.at(`evaluating ${name}`).update(done, total),
      ...(opened ? { opened } : {}),
    });
    progress.stop();
    for (const [name, task] of Object.entries(tasks)) {
      process.stdout.write(`${formatTask(name, task)}\n\n`);
    }
    if (flags.json === undefined) return;
    const name = named ?? { model: model.name, pretrained: basename(model.path) };
    const files = await writeResults(flags.json, {
      model,
      tasks,
      name,
      language: flags.language,
    });
    process.stdout.write(`Written: ${files.join(", ")}\n`);
  } finally {
    progress.stop();
    interrupt.dispose();
  }
}

function parseName(as: string): { readonly model: string; readonly pretrained: string } {
  const [model = "", pretrained = "", ...rest] = as.split(",").map((part) => part.trim());
  if (model !== "" && pretrained !== "" && rest.length === 0) return { model, pretrained };
  throw new ConfigError(
    `cli/eval: --as: expected a model and what it was trained on, "ViT-B-32,laion2b", got "${as}".`,
  );
}
