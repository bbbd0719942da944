/** Evaluation: a model against evaluators, each with its dataset. */
import {
  ConfigError,
  createRandom,
  type Compute,
  type Dataset,
  type EncodeFunctions,
  type Evaluation,
  type EvaluationContext,
  type ResolvedConfig,
  type ResolvedPart,
  type SizedDataset,
  type Tokenizer,
} from "@diptych/core";
import { createCompute } from "@diptych/core/backend";
import { Run } from "@diptych/core/plugin";
import { createBackend, createDataset, createEvaluator } from "./components.js";
import { createModelRuntime, type ModelRuntime } from "./model-runtime.js";
import { readModel } from "./read-model.js";
import type { OpenedConfig } from "./load-config.js";
import type { RunListener } from "./run-events.js";

/** What each evaluator found, by its name. */
export type Evaluations = Readonly<Record<string, Evaluation>>;

export interface EvaluateOptions {
  readonly opened: OpenedConfig;
  readonly encode: EncodeFunctions & Pick<ModelRuntime, "score">;
  readonly compute: Compute;
  readonly tokenizer: Tokenizer;
  readonly on: RunListener;
  readonly signal?: AbortSignal | undefined;
  readonly report?: ((name: string, done: number, total: number) => void) | undefined;
}

/** Runs the evaluators of a configuration. @throws ConfigError where one's dataset has no size. */
export async function evaluate(options: EvaluateOptions): Promise<Evaluations> {
  const { opened } = options;
  const results: Record<string, Evaluation> = {};
  for (const entry of uniqueNames(opened.config.evaluators)) {
    results[entry.name] = await evaluateOne(entry, options);
  }
  return results;
}

type EvaluatorEntry = ResolvedConfig["evaluators"][number];

async function evaluateOne(
  { name, evaluator, dataset: part, trainDataset: trainPart }: EvaluatorEntry,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const { opened, encode, compute, tokenizer, signal, report } = options;
  const datasets: Dataset[] = [];
  const open = async (wanted: ResolvedPart<"dataset">): Promise<SizedDataset> => {
    const dataset = await createDataset(wanted, options);
    datasets.push(dataset);
    if (dataset.kind === "sized") return dataset;
    throw new ConfigError(
      `diptych/evaluate: ${name}: expected a dataset of known size, got the stream "${dataset.name}". Use a sized one.`,
    );
  };
  try {
    const dataset = await open(part);
    const trainDataset = trainPart && (await open(trainPart));
    return await createEvaluator(evaluator, opened).evaluate({
      encode,
      compute,
      tokenizer,
      dataset,
      ...scoreOf(encode, signal),
      ...(trainDataset ? { trainDataset } : {}),
      random: createRandom(opened.config.seed).split("evaluate").split(name),
      ...(signal ? { signal } : {}),
      report: (done, total) => report?.(name, done, total),
    });
  } finally {
    for (const dataset of datasets) await dataset.dispose?.();
  }
}

/** The scores that the model's loss taught, where it did. */
function scoreOf(
  { score }: Pick<ModelRuntime, "score">,
  signal: AbortSignal | undefined,
): Pick<EvaluationContext, "score"> {
  if (!score) return {};
  return { score: (images, texts) => score(images, texts, signal ? { signal } : {}) };
}

/** Two evaluators of one name become `name` and `name-2`. */
function uniqueNames(entries: readonly EvaluatorEntry[]): readonly EvaluatorEntry[] {
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
export async function evaluateModel(options: EvaluateModelOptions): Promise<Evaluations> {
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
    const compute = createCompute(backend);
    return await evaluate({ ...options, opened, encode, compute, tokenizer, on });
  } finally {
    await run.dispose();
  }
}
