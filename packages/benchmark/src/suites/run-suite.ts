/** Models over the tasks of a suite, task after task: what is there is kept, what fails is told, the rest runs. */
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ConfigError, isExpectedError, type ResolvedConfig } from "@diptych/core";
import {
  identifyEvaluatorData,
  measureTasks,
  nameModel,
  writeJsonAtomically,
  type EvaluatorData,
  type MeasuredTask,
  type TaskModel,
} from "diptych";
import { contentOf } from "../compare/data-content.js";
import { differences } from "../compare/differences.js";
import { fileNames } from "../file-names.js";
import { codeVersion } from "../provenance/code-version.js";
import type { FailedRow, Provenance } from "../record.js";
import type { SuiteResult } from "../suite-result.js";
import { modelLabels, type NamedModel } from "./model-labels.js";
import type { OpenedSuite } from "./open-suite.js";
import { suiteRow } from "./suite-row.js";
import { summariseSuite } from "./summarise-suite.js";

/** File of a suite's result in its folder. */
export const SUITE_FILE = "suite.json";

export type SuiteEvent =
  | {
      readonly event: "model";
      readonly index: number;
      readonly models: number;
      readonly label: string;
    }
  | {
      readonly event: "progress";
      readonly task: string;
      readonly done: number;
      readonly total: number;
    }
  | {
      readonly event: "task";
      readonly label: string;
      readonly task: string;
      readonly status: "done" | "there" | "failed";
      /** Main metric, or why there is none. */
      readonly text: string;
    }
  | {
      readonly event: "again";
      readonly label: string;
      readonly task: string;
      readonly changed: string;
    };

export interface RunSuiteOptions {
  readonly suite: OpenedSuite;
  /** Folders, files or names of models. */
  readonly models: readonly string[];
  /** Folder of the result and of what it is made from. */
  readonly out: string;
  readonly title?: string;
  readonly on?: (event: SuiteEvent) => void;
  readonly signal?: AbortSignal;
}

/** A task of a model, as it is kept. */
export interface SuiteMeasurement {
  readonly label: string;
  readonly task: string;
  readonly model: TaskModel;
  readonly measured: MeasuredTask;
}

export interface SuiteOutcome {
  /** False when it was interrupted; the same call goes on. */
  readonly finished: boolean;
  readonly result: SuiteResult;
  readonly measurements: readonly SuiteMeasurement[];
}

/**
 * Measures each model on each task. `suite.json` is written after every task. A task that is in the folder already is not
 * measured again where model, evaluator, version and the content of its datasets are the same.
 *
 * @throws ConfigError without models or with one twice, CheckpointError where one is not there: before any is measured.
 */
export async function runSuite(options: RunSuiteOptions): Promise<SuiteOutcome> {
  const { suite, out, title, on = () => undefined, signal } = options;
  const labels = await labelModels(options.models, suite);
  const code = await codeVersion();
  const files = fileNames(labels, "model");
  const kept: SuiteMeasurement[] = [];
  const failed: FailedRow[] = [];
  const resultNow = (): SuiteResult =>
    summariseSuite({
      title: title ?? suite.name,
      models: labels,
      tasks: suite.opened.config.evaluators.map(({ name }) => name),
      rows: kept.map((one) => suiteRow(one, { suite, code })),
      failed,
    });
  await mkdir(join(out, "tasks"), { recursive: true });
  const save = async (): Promise<SuiteResult> => {
    const result = resultNow();
    await writeJsonAtomically(join(out, SUITE_FILE), result);
    return result;
  };
  try {
    for (const [index, label] of labels.entries()) {
      on({ event: "model", index: index + 1, models: labels.length, label });
      const context = {
        ...options,
        label,
        file: files[index]!,
        source: options.models[index]!,
        code,
        on,
        failed,
        kept,
        save,
      };
      await measureModel(context);
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
    return { finished: false, result: resultNow(), measurements: kept };
  }
  return { finished: true, result: await save(), measurements: kept };
}

interface ModelContext extends RunSuiteOptions {
  readonly label: string;
  /** Of what is kept of it. */
  readonly file: string;
  readonly source: string;
  readonly code: Provenance["code"];
  readonly on: (event: SuiteEvent) => void;
  readonly failed: FailedRow[];
  readonly kept: SuiteMeasurement[];
  readonly save: () => Promise<SuiteResult>;
}

async function measureModel(context: ModelContext): Promise<void> {
  const { suite, label, file, source, out, code, on, failed, kept, save, signal } = context;
  const { evaluators } = suite.opened.config;
  const entryOf = new Map(evaluators.map((entry) => [entry.name, entry]));
  const askedBy = (task: string, { weights }: Pick<TaskModel, "weights">): unknown =>
    askedOf(entryOf.get(task)!, { weights, version: code.diptych });
  const tasks = evaluators.map(({ name }) => name);
  const files = fileNames(tasks, "task");
  const pathOf = (task: string): string =>
    join(out, "tasks", `${file}--${files[tasks.indexOf(task)]}.json`);
  const fail = (task: string, reason: string): void => {
    failed.push({ method: label, task, reason });
    on({ event: "task", label, task, status: "failed", text: reason });
  };
  try {
    await measureTasks({
      model: existsSync(source) ? resolve(source) : source,
      opened: suite.opened,
      fingerprints: true,
      cache: true,
      wanted: async (task, model) => {
        const found = await readKept(pathOf(task));
        if (!found) return true;
        const { measured } = found.measurement;
        const changed = [
          ...differences(found.asked, askedBy(task, model)),
          ...(await changedData(measured, suite.opened, entryOf.get(task)!)),
        ];
        if (changed.length > 0) {
          on({ event: "again", label, task, changed: changed[0]! });
          return true;
        }
        kept.push({ ...found.measurement, label });
        on({
          event: "task",
          label,
          task,
          status: "there",
          text: mainMetricText(found.measurement),
        });
        return false;
      },
      onTask: async (task, measured, model) => {
        const measurement = { label, task, model, measured };
        await writeJsonAtomically(pathOf(task), { asked: askedBy(task, model), measurement });
        kept.push(measurement);
        on({ event: "task", label, task, status: "done", text: mainMetricText(measurement) });
        await save();
      },
      onFailure: fail,
      report: (task, done, total) => on({ event: "progress", task, done, total }),
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (signal?.aborted || !isExpectedError(error)) throw error;
    // What is wrong with the model itself is the reason of each task that it has not been measured on.
    for (const { name } of evaluators) {
      const known = [...kept, ...failed.map(({ method, task }) => ({ label: method, task }))];
      if (!known.some((one) => one.label === label && one.task === name)) fail(name, error.message);
    }
  }
}

interface Kept {
  readonly asked: unknown;
  readonly measurement: SuiteMeasurement;
}

async function readKept(path: string): Promise<Kept | undefined> {
  if (!existsSync(path)) return undefined;
  return JSON.parse(await readFile(path, "utf8")) as Kept;
}

/** Data that is otherwise than when it was measured. Of a dataset that is not there any more nothing is known. */
async function changedData(
  measured: EvaluatorData,
  opened: OpenedSuite["opened"],
  entry: ResolvedConfig["evaluators"][number],
): Promise<readonly string[]> {
  try {
    return differences(contentOf(measured), contentOf(await identifyEvaluatorData(opened, entry)));
  } catch (error) {
    if (isExpectedError(error)) return [];
    throw error;
  }
}

/** What a result depends on, as JSON would give it back. */
function askedOf(
  { evaluator, dataset, trainDataset }: ResolvedConfig["evaluators"][number],
  facts: { readonly weights: string; readonly version: string },
): unknown {
  const plain = (part: typeof evaluator | typeof dataset): unknown => ({
    type: part.declaration.type,
    config: part.config,
  });
  const asked = {
    ...facts,
    evaluator: plain(evaluator),
    dataset: plain(dataset),
    ...(trainDataset ? { trainDataset: plain(trainDataset) } : {}),
  };
  return JSON.parse(JSON.stringify(asked)) as unknown;
}

/** @throws ConfigError without models or with one twice. */
async function labelModels(
  models: readonly string[],
  { opened }: OpenedSuite,
): Promise<readonly string[]> {
  if (models.length === 0) {
    throw new ConfigError(
      "benchmark/runSuite: models: expected at least one, got none. Give --models runs/a/model,openai/clip-vit-base-patch32.",
    );
  }
  const twice = models.find((model, i) => models.indexOf(model) !== i);
  if (twice !== undefined) {
    throw new ConfigError(`benchmark/runSuite: models: expected each once, got ${twice} twice.`);
  }
  const named: NamedModel[] = [];
  for (const source of models)
    named.push({ source, name: await nameModel(source, opened.customPlugins) });
  return modelLabels(named);
}

function mainMetricText({ measured }: SuiteMeasurement): string {
  const { mainMetric, metrics } = measured;
  return `${mainMetric} ${metrics[mainMetric]?.value.toFixed(4) ?? "unknown"}`;
}
