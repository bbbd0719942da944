/** A saved model measured task after task: each on its own, so that one that fails or is there already does not hold up the rest. */
import { isExpectedError } from "@diptych/core";
import { Run } from "@diptych/core/plugin";
import type { Plugin } from "@diptych/core/plugin";
import { evaluate, prepareModel, type EvaluatedModel, type MeasuredTask } from "./evaluate.js";
import type { OpenedEvaluation } from "./load-config.js";
import { openModel, readModel } from "./read-model.js";

export interface MeasureTasksOptions {
  /** Model folder of a run, or a public checkpoint, by path or name. */
  readonly model: string;
  /** The evaluators, with names of their own. */
  readonly opened: OpenedEvaluation;
  /** Whether datasets are hashed, which reads or lists all their files. */
  readonly fingerprints?: boolean;
  /** Whether features are kept in the user's cache folder and taken from there; false by default. */
  readonly cache?: boolean;
  /** Asked before each task; false leaves it out. */
  readonly wanted?: (task: string, model: EvaluatedModel) => Promise<boolean>;
  readonly onTask: (task: string, measured: MeasuredTask, model: TaskModel) => Promise<void>;
  /** A task that could not be measured; the next one follows. */
  readonly onFailure: (task: string, reason: string) => void;
  readonly signal?: AbortSignal;
  readonly report?: (name: string, done: number, total: number) => void;
}

/** The model of a task, with what it was trained from where its folder says. */
export interface TaskModel extends EvaluatedModel {
  readonly config: Readonly<Record<string, unknown>> | null;
}

/**
 * Measures a saved model on each task of `opened`, its weights read once.
 *
 * @throws CheckpointError on a broken model, and what the signal throws.
 */
export async function measureTasks(options: MeasureTasksOptions): Promise<void> {
  const { opened, wanted, onTask, onFailure, fingerprints, signal, report } = options;
  const loaded = await readModel(options.model, { plugins: opened.customPlugins });
  const run = new Run();
  const on = (): void => undefined;
  try {
    const cached = options.cache ?? false;
    const prepared = await prepareModel(loaded, run, { opened, cached, on });
    const config = loaded.opened?.config.plain ?? null;
    const model = Object.freeze({ ...prepared.model, config });
    const parts = { ...prepared.parts, fingerprints, signal, report };
    for (const entry of opened.config.evaluators) {
      signal?.throwIfAborted();
      if (wanted && !(await wanted(entry.name, model))) continue;
      const one = { ...opened, config: { ...opened.config, evaluators: [entry] } };
      try {
        const found = await evaluate({ ...parts, opened: one });
        await onTask(entry.name, found[entry.name]!, model);
      } catch (error) {
        if (signal?.aborted || !isExpectedError(error)) throw error;
        onFailure(entry.name, error.message);
      }
    }
  } finally {
    await run.dispose();
  }
}

/**
 * What a model is called, before its weights are read: a name that is wrong is found out at once.
 *
 * @throws CheckpointError where there is none.
 */
export async function nameModel(source: string, plugins: readonly Plugin[] = []): Promise<string> {
  const model = await openModel(source, { plugins });
  try {
    return model.opened?.config.name ?? source;
  } finally {
    await model.close();
  }
}
