/** `diptych benchmark run`: models over the tasks of a suite, with a table, a report and CLIP_benchmark's files. */
import { join, relative, resolve } from "node:path";
import {
  openSuite,
  runSuite,
  SHIPPED_SUITES,
  SUITE_FILE,
  writeReport,
  type SuiteEvent,
  type SuiteMeasurement,
} from "@diptych/benchmark";
import { ConfigError } from "@diptych/core";
import type { Command } from "commander";
import { listenForInterrupt } from "../interrupt.js";
import { createProgressSeries } from "../progress.js";
import { publishedTables, suiteTable } from "./benchmark-tables.js";
import { writeResults } from "./eval-results.js";
import { repeatable } from "./repeatable.js";

interface RunFlags {
  readonly models: readonly string[];
  readonly data: readonly string[];
  readonly out?: string;
  readonly title?: string;
  readonly baselines?: boolean;
  readonly json?: boolean;
}

/** Folder of the files that CLIP_benchmark's `build` reads, in the suite's. */
const CLIP_BENCHMARK = "clip-benchmark";

export function addBenchmarkRunCommand(group: Command): void {
  const shipped = Object.entries(SHIPPED_SUITES)
    .map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`)
    .join("\n");
  group
    .command("run")
    .description("measure models on every task of a suite")
    .argument("<suite>", "name of a suite, or a file: TypeScript, JavaScript, JSON or YAML")
    .requiredOption(
      "-m, --models <models>",
      "folders, files or names, with commas between; the first is what the others are tested against",
      listed,
    )
    .option(
      "--data <task=path>",
      "a task's folder or file of your own; may be repeated",
      repeatable,
      [],
    )
    .option("-o, --out <dir>", "folder of the results (default: runs/suite-<name>)")
    .option("--title <text>", "heading of the report")
    .option("--baselines", "published scores beside yours, comparable only where the protocol is")
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      `
Suites by name:
${shipped}

Examples:
  $ diptych benchmark run emoji --models runs/a/model,runs/b/model
  $ diptych benchmark run imagenet --models openai/clip-vit-base-patch32 --data imagenet=/data/imagenet/val --baselines
  $ diptych benchmark run my-suite.ts --models runs/a/model --out results

A suite of your own:
  export default defineSuite({ name: "mine", tasks: [
    { name: "pets", evaluator: zeroshotClassification(), dataset: imageFolder({ path: "pets" }) } ] });

A task that cannot be measured, as one whose data is missing, is named with its reason; the rest runs.
Ctrl-C stops; the same command goes on with the tasks that are left. What was measured is measured
again only where the model, the task, its data or the version of diptych has changed.

The folder gets ${SUITE_FILE}, report.html, report.md, report.csv and ${CLIP_BENCHMARK}/, which CLIP_benchmark's
own \`clip_benchmark build\` reads. The exit code is 1 where a task failed, 130 after Ctrl-C.`,
    )
    .action(runSuiteCommand);
}

function listed(text: string): readonly string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

async function runSuiteCommand(name: string, flags: RunFlags): Promise<void> {
  const { models, title, baselines = false, json = false } = flags;
  const suite = await openSuite(name, { data: parseData(flags.data) });
  const out = resolve(flags.out ?? join("runs", `suite-${suite.name}`));
  const interrupt = listenForInterrupt("Stopping (Ctrl-C again to quit at once) …");
  const view = createView();
  try {
    const { finished, result, measurements } = await runSuite({
      suite,
      models,
      out,
      ...(title === undefined ? {} : { title }),
      on: view.on,
      signal: interrupt.signal,
    });
    view.stop();
    if (!finished) {
      process.stdout.write(
        `Stopped; ${result.rows.length} of ${models.length * result.tasks.length} are measured. The same command goes on.\n`,
      );
      process.exitCode = 130;
      return;
    }
    const report = await writeReport(result, out);
    await writeClipBenchmark(join(out, CLIP_BENCHMARK), measurements);
    const published = baselines ? `\n\n${publishedTables(result)}` : "";
    process.stdout.write(
      json
        ? `${JSON.stringify(result, null, 2)}\n`
        : `${suiteTable(result)}${published}\n\n${result.conclusion.join("\n")}\n\nLook at it: ${report.html}\nIn ${relative(process.cwd(), out) || "."}: ${SUITE_FILE}, report.md, report.csv, ${CLIP_BENCHMARK}/\n`,
    );
    if (result.failed.length > 0) process.exitCode = 1;
  } finally {
    view.stop();
    interrupt.dispose();
  }
}

/** `imagenet=/data/val` → by task. @throws ConfigError on anything else, and on a task given twice. */
function parseData(entries: readonly string[]): Readonly<Record<string, string>> {
  const data = new Map<string, string>();
  for (const entry of entries) {
    const [, task = "", path = ""] = /^([^=]+)=(.+)$/.exec(entry) ?? [];
    if (task === "" || path === "" || data.has(task)) {
      throw new ConfigError(
        `cli/benchmark: --data: expected each task once, as imagenet=/path/to/imagenet, got "${entry}".`,
      );
    }
    data.set(task, path);
  }
  return Object.fromEntries(data);
}

/** All of a model's tasks together, so that two of one file name stay apart. */
async function writeClipBenchmark(
  folder: string,
  measurements: readonly SuiteMeasurement[],
): Promise<void> {
  for (const label of new Set(measurements.map((one) => one.label))) {
    const own = measurements.filter((one) => one.label === label);
    await writeResults(folder, {
      model: own[0]!.model,
      tasks: Object.fromEntries(own.map(({ task, measured }) => [task, measured])),
      name: { model: label, pretrained: own[0]!.model.source },
      language: "en",
    });
  }
}

/** A line for each task of a model, and a bar for the one in progress. */
function createView(): { on: (event: SuiteEvent) => void; stop: () => void } {
  const series = createProgressSeries();
  let model = "";
  return {
    on: (event) => {
      switch (event.event) {
        case "model":
          model = `model ${event.index} of ${event.models}: ${event.label}`;
          break;
        case "progress":
          series.at(`${model}, ${event.task}`).update(event.done, event.total);
          break;
        case "again":
          series.log(`${event.label}, ${event.task}: measured again (${event.changed})`);
          break;
        case "task": {
          const what = { done: "", there: " (was there)", failed: "failed: " }[event.status];
          series.log(
            event.status === "failed"
              ? `${event.label}, ${event.task} ${what}${event.text}`
              : `${event.label}, ${event.task}: ${event.text}${what}`,
          );
          break;
        }
      }
    },
    stop: () => series.stop(),
  };
}
