/** Evaluation: a model against evaluators, each with its dataset. */
import { basename, join } from "node:path";
import {
  ConfigError,
  createRandom,
  type Backend,
  type Compute,
  type Dataset,
  type EncodeFunctions,
  type Evaluation,
  type EvaluationContext,
  type FeatureCache,
  type HostTensor,
  type ResolvedConfig,
  type ResolvedPart,
  type SizedDataset,
  type Tokenizer,
} from "@diptych/core";
import { createCompute } from "@diptych/core/backend";
import { Run } from "@diptych/core/plugin";
import { cacheFolder, createBackend, createDataset, createEvaluator } from "./components.js";
import { createFeatureCache } from "./feature-cache/feature-cache.js";
import { modelIdentity } from "./feature-cache/model-identity.js";
import { weightsFingerprint } from "./fingerprint.js";
import { createModelRuntime, type ModelRuntime } from "./model-runtime.js";
import { readModel, type LoadedModel, type ModelDescription } from "./read-model.js";
import type { OpenedEvaluation } from "./load-config.js";
import { identifyDataset, type EvaluatorData, type MeasuredData } from "./measured-data.js";
import type { RunListener } from "./run-events.js";
import { similarityScale } from "./similarity-scale.js";

/** What one evaluator found, and on what. */
export interface MeasuredTask extends Evaluation, EvaluatorData {
  /** Type of the evaluator in the configuration. */
  readonly evaluator: string;
  /** The metric that stands for the others. */
  readonly mainMetric: string;
  readonly data: MeasuredData & { readonly size: number };
}

/** What each evaluator found, by its name. */
export type Evaluations = Readonly<Record<string, MeasuredTask>>;

export interface EvaluateOptions {
  readonly opened: OpenedEvaluation;
  readonly encode: EncodeFunctions & Pick<ModelRuntime, "score">;
  readonly compute: Compute;
  readonly tokenizer: Tokenizer;
  /** Of the model's parameters the scale of similarities is read. */
  readonly parameters: ReadonlyMap<string, HostTensor>;
  /** Whether datasets are hashed, which reads or lists all their files. */
  readonly fingerprints?: boolean | undefined;
  /** Features of sets that say what they hold; without it all are computed. */
  readonly cache?: FeatureCache | undefined;
  readonly on: RunListener;
  readonly signal?: AbortSignal | undefined;
  readonly report?: ((name: string, done: number, total: number) => void) | undefined;
}

/** Runs the evaluators of a configuration. @throws ConfigError where one's dataset has no size. */
export async function evaluate(options: EvaluateOptions): Promise<Evaluations> {
  const { opened } = options;
  const results: Record<string, MeasuredTask> = {};
  for (const entry of opened.config.evaluators) {
    results[entry.name] = await evaluateOne(entry, options);
  }
  return results;
}

type EvaluatorEntry = ResolvedConfig["evaluators"][number];

async function evaluateOne(
  { name, evaluator, dataset: part, trainDataset: trainPart }: EvaluatorEntry,
  options: EvaluateOptions,
): Promise<MeasuredTask> {
  const { opened, encode, compute, tokenizer, cache, signal, report, on } = options;
  const datasets: Dataset[] = [];
  const open = async (wanted: ResolvedPart<"dataset">): Promise<SizedDataset> => {
    const dataset = await createDataset(wanted, options);
    datasets.push(dataset);
    if (cache && dataset.kind === "sized" && !dataset.fingerprint) {
      const text = `features of "${dataset.name}" are not cached: this dataset gives no fingerprint`;
      on({ event: "message", text });
    }
    if (dataset.kind === "sized") return dataset;
    throw new ConfigError(
      `diptych/evaluate: ${name}: expected a dataset of known size, got the stream "${dataset.name}". Use a sized one.`,
    );
  };
  try {
    const dataset = await open(part);
    const trainDataset = trainPart && (await open(trainPart));
    const created = createEvaluator(evaluator, opened);
    const scale = similarityScale(options.parameters);
    const found = await created.evaluate({
      encode,
      compute,
      tokenizer,
      dataset,
      ...scoreOf(encode, signal),
      ...(scale === undefined ? {} : { similarityScale: scale }),
      ...(trainDataset ? { trainDataset } : {}),
      ...(cache ? { cache } : {}),
      random: createRandom(opened.config.seed).split("evaluate").split(name),
      ...(signal ? { signal } : {}),
      report: (done, total) => report?.(name, done, total),
    });
    const { fingerprints } = options;
    return Object.freeze({
      ...found,
      evaluator: evaluator.declaration.type,
      mainMetric: created.mainMetric ?? Object.keys(found.metrics)[0] ?? "",
      data: { ...(await identifyDataset(dataset, part, fingerprints)), size: dataset.size },
      ...(trainDataset
        ? { trainData: await identifyDataset(trainDataset, trainPart, fingerprints) }
        : {}),
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

export interface EvaluateModelOptions {
  /** Model folder of a run, or of open_clip. */
  readonly model: string;
  /** Evaluators of this configuration; by default those that the model was trained with. */
  readonly opened?: OpenedEvaluation;
  /** Whether datasets are hashed, which reads or lists all their files. */
  readonly fingerprints?: boolean;
  /** Whether features are kept in the user's cache folder and taken from there; false by default. */
  readonly cache?: boolean;
  /** Told in sentences what a reader of the run may want to know, e.g. that features are not cached. */
  readonly log?: (text: string) => void;
  readonly signal?: AbortSignal;
  readonly report?: (name: string, done: number, total: number) => void;
}

/** The model that was measured, and how. */
export interface EvaluatedModel extends Pick<
  ModelDescription,
  "path" | "source" | "pictures" | "step" | "assumed"
> {
  /** Name of the configuration that it was trained with, or of its file or folder. */
  readonly name: string;
  /** SHA-256 over the names, shapes and values of the weights. */
  readonly weights: string;
  readonly backend: string;
}

/** Measures a saved model. @throws ConfigError where there is no evaluator, CheckpointError on a broken model. */
export async function evaluateModel(
  options: EvaluateModelOptions,
): Promise<{ readonly model: EvaluatedModel; readonly tasks: Evaluations }> {
  const plugins = options.opened?.customPlugins ?? [];
  const loaded = await readModel(options.model, { plugins });
  const opened = options.opened ?? loaded.opened;
  if (!opened || opened.config.evaluators.length === 0) {
    throw new ConfigError(
      `diptych/evaluateModel: evaluators: expected at least one, got none in ${opened?.source ?? options.model}. Give a configuration with evaluators: [{ evaluator: { type: "retrieval" }, dataset: { … } }].`,
    );
  }
  const run = new Run();
  const on: RunListener = (event) => {
    if (event.event === "message") options.log?.(event.text);
  };
  try {
    const cached = options.cache ?? false;
    const { model, parts } = await prepareModel(loaded, run, { opened, cached, on });
    const tasks = await evaluate({ ...options, ...parts, opened });
    return Object.freeze({ model, tasks });
  } finally {
    await run.dispose();
  }
}

export interface PreparedModel {
  readonly model: EvaluatedModel;
  readonly parts: Pick<
    EvaluateOptions,
    "encode" | "compute" | "tokenizer" | "parameters" | "on"
  > & {
    readonly cache: FeatureCache | undefined;
  };
}

export interface PrepareModelOptions {
  /** Whose backend is taken. */
  readonly opened: OpenedEvaluation;
  /** Whether features are kept in the user's cache folder and taken from there. */
  readonly cached: boolean;
  readonly on: RunListener;
}

/** A model ready to be measured; what it takes ends with the run. */
export async function prepareModel(
  loaded: LoadedModel,
  run: Run,
  { opened, cached, on }: PrepareModelOptions,
): Promise<PreparedModel> {
  const backend = await createBackend(opened, run, on);
  const encode = createModelRuntime(loaded, backend);
  run.onDispose("encode", () => encode.dispose());
  const { tokenizer, parameters } = loaded;
  const model = describeModel(loaded, backend);
  const cache = cached
    ? createFeatureCache({
        folder: join(cacheFolder(), "features"),
        model: modelIdentity(loaded, { backend, weights: model.weights }),
        log: (text) => on({ event: "message", text }),
      })
    : undefined;
  const compute = createCompute(backend);
  return { model, parts: { encode, compute, tokenizer, parameters, cache, on } };
}

function describeModel(loaded: LoadedModel, backend: Backend): EvaluatedModel {
  const { path, source, pictures, step, assumed, opened, parameters } = loaded;
  return {
    name: opened?.config.name ?? basename(path),
    path,
    source,
    ...(step === undefined ? {} : { step }),
    assumed,
    pictures,
    weights: weightsFingerprint(parameters),
    backend: backend.describe(),
  };
}
