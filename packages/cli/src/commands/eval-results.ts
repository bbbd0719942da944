/** Results as files: a folder that CLIP_benchmark's `build` reads, with what it has no place for in a folder below. */
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "@diptych/core";
import {
  clipBenchmarkFileName,
  clipBenchmarkResult,
  writeJsonAtomically,
  type EvaluatedModel,
  type Evaluations,
} from "diptych";

/** `build` reads the .json files of a folder and none below it; every key of them becomes a column. */
const DETAILS = "details";

export interface ResultOptions {
  readonly model: EvaluatedModel;
  readonly tasks: Evaluations;
  readonly name: { readonly model: string; readonly pretrained: string };
  readonly language: string;
}

/** Asked before the work begins. @throws ConfigError where `folder` is a file, or is named as one. */
export async function checkResultFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found ? found.isDirectory() : !folder.endsWith(".json")) return;
  throw new ConfigError(
    `cli/eval: --json: expected a folder, got the file ${folder}. Each task is a file of its own: give a folder, e.g. --json results.`,
  );
}

/** Writes a file a task, and gives their paths. */
export async function writeResults(
  folder: string,
  { model, tasks, name, language }: ResultOptions,
): Promise<readonly string[]> {
  await mkdir(join(folder, DETAILS), { recursive: true });
  const written: string[] = [];
  for (const [key, task] of Object.entries(tasks)) {
    const { evaluator, data } = task;
    const dataset = isOwnName(key, evaluator) ? key : data.name;
    const options = { evaluator, evaluation: task, dataset, language, ...name };
    const result = clipBenchmarkResult(options);
    const file = unusedName(clipBenchmarkFileName(result), written);
    await writeJsonAtomically(join(folder, file), result);
    await writeJsonAtomically(join(folder, DETAILS, file), { name: key, model, task });
    written.push(file);
  }
  return written.map((file) => join(folder, file));
}

/** Without a name of its own a task is called after its evaluator, with a number where there are several. */
function isOwnName(key: string, evaluator: string): boolean {
  return key.replace(/-\d+$/, "") !== evaluator;
}

function unusedName(wanted: string, used: readonly string[]): string {
  for (let i = 1; ; i++) {
    const name = i === 1 ? wanted : wanted.replace(/\.json$/, `-${i}.json`);
    if (!used.includes(name)) return name;
  }
}
