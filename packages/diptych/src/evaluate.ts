/** Evaluation: a model against evaluators, each with its dataset. */
import {
  ConfigError,
  createRandom,
  type EncodeFunctions,
  type Metric,
  type ResolvedConfig,
  type Tokenizer,
} from "@diptych/core";
import { Run } from "@diptych/core/plugin";
import { createBackend, createDataset, createEvaluator } from "./components.js";
import { createModelRuntime } from "./model-runtime.js";
import { readModel } from "./read-model.js";
import type { OpenedConfig } from "./load-config.js";
import type { RunListener } from "./run-events.js";

/** Metrics by evaluator. */
export type Metrics = Readonly<Record<string, Readonly<Record<string, Metric>>>>;

export interface EvaluateOptions {
  readonly opened: OpenedConfig;
  readonly encode: EncodeFunctions;
  readonly tokenizer: Tokenizer;
  readonly on: RunListener;
  readonly signal?: AbortSignal | undefined;
  readonly report?: ((name: string, done: number, total: number) => void) | undefined;
}

/** Runs the evaluators of a configuration. @throws ConfigError where one's dataset has no size. */
export async function evaluate(options: EvaluateOptions): Promise<Metrics> {
  const { opened, encode, tokenizer, signal, report } = options;
  const results: Record<string, Readonly<Record<string, Metric>>> = {};
  for (const { name, evaluator, dataset: part } of uniqueNames(opened.config.evaluators)) {
    const dataset = await createDataset(part, options);
    try {
      if (dataset.kind !== "sized") {
        throw new ConfigError(
          `diptych/evaluate: ${name}: expected a dataset of known size, got the stream "${dataset.name}". Use a sized one.`,
        );
      }
      results[name] = await createEvaluator(evaluator).evaluate({
        encode,
        tokenizer,
        dataset,
        random: createRandom(opened.config.seed).split("evaluate").split(name),
        ...(signal ? { signal } : {}),
        report: (done, total) => report?.(name, done, total),
      });
    } finally {
      await dataset.dispose?.();
    }
  }
  return results;
}

/** Two evaluators of one name become `name` and `name-2`. */
function uniqueNames(entries: ResolvedConfig["evaluators"]): ResolvedConfig["evaluators"] {
  const seen = new Map<string, number>();
  return entries.map((entry) => {
    const count = (seen.get(entry.name) ?? 0) + 1;
    seen.set(entry.name, count);
    return count === 1 ? entry : { ...entry, name: `${entry.name}-${count}` };
  });
}

export interface EvaluateModelOptions {
  /** Model folder of a run, or of open_clip. */
  readonly model: string;
  /** Evaluators of this configuration; by default those that the model was trained with. */
  readonly opened?: OpenedConfig;
  readonly signal?: AbortSignal;
  readonly report?: (name: string, done: number, total: number) => void;
}

/** Measures a saved model. @throws ConfigError where there is no evaluator, CheckpointError on a broken model. */
export async function evaluateModel(options: EvaluateModelOptions): Promise<Metrics> {
  const plugins = options.opened?.customPlugins ?? [];
  const loaded = await readModel(options.model, { plugins });
  const opened = options.opened ?? loaded.opened;
  if (!opened || opened.config.evaluators.length === 0) {
    throw new ConfigError(
      `diptych/evaluateModel: evaluators: expected at least one, got none in ${opened?.source ?? options.model}. Give a configuration with evaluators: [{ evaluator: { type: "retrieval" }, dataset: { … } }].`,
    );
  }
  const run = new Run();
  const on: RunListener = () => undefined;
  try {
    const backend = await createBackend(opened, run, on);
    const encode = createModelRuntime(loaded, backend);
    run.onDispose("encode", () => encode.dispose());
    const { tokenizer } = loaded;
    return await evaluate({ ...options, opened, encode, tokenizer, on });
  } finally {
    await run.dispose();
  }
}
