/** What a run is made of, created from its configuration in one container: data, tokenizer, model, loss, optimizer, backend. */
import { join } from "node:path";
import {
  ConfigError,
  createConfiguredModel,
  type Backend,
  type Dataset,
  type Evaluator,
  type ImageTransform,
  type Loss,
  type MultiEncoder,
  type Optimizer,
  type ResolvedPart,
  type Schedule,
  type Tokenizer,
  type TokenizerState,
} from "@diptych/core";
import { createToken, type Run, type PluginKind, type PluginKinds } from "@diptych/core/plugin";
import { createLoss } from "./create-loss.js";
import type { OpenedConfig, OpenedEvaluation } from "./load-config.js";
import type { RunListener } from "./run-events.js";
import { openTeachers, type OpenedTeacher } from "./teachers/open-teachers.js";

export const DATASET = createToken<Dataset>("dataset");
export const TOKENIZER = createToken<Tokenizer>("tokenizer");
export const MODEL = createToken<MultiEncoder>("model");
export const LOSS = createToken<Loss>("loss");
export const OPTIMIZER = createToken<Optimizer>("optimizer");
export const BACKEND = createToken<Backend>("backend");
/** Models that the loss is taught by; none for most losses. */
export const TEACHERS = createToken<readonly OpenedTeacher[]>("teachers");

/**
 * Folder for derived data, beside the configuration's project; `DIPTYCH_CACHE` names another. Pulled models, which
 * projects share, are in the user's cache (`hubCacheFolder`), or in `hub` of that other one.
 */
export function cacheFolder(): string {
  return process.env["DIPTYCH_CACHE"] ?? join(process.cwd(), ".diptych-cache");
}

/** Calls a resolved part's factory. Its own schema has made the configuration, so the types hold. */
function createPart<K extends PluginKind>(
  part: ResolvedPart<K>,
  dependencies: PluginKinds[K]["dependencies"],
): PluginKinds[K]["result"] | Promise<PluginKinds[K]["result"]> {
  return part.declaration.create(part.config as never, dependencies);
}

export interface ComponentOptions {
  readonly opened: OpenedConfig;
  readonly run: Run;
  readonly on: RunListener;
  readonly signal?: AbortSignal | undefined;
  /** State of the tokenizer of the run that is resumed. */
  readonly tokenizer?: TokenizerState | undefined;
}

/** Creates what training needs, in order, into the run's container. */
export async function createComponents(options: ComponentOptions): Promise<void> {
  const { opened, run, on } = options;
  const dataset = await run.create(DATASET, () => createDataset(opened.config.data.train, options));
  await createModelComponents(options, () => captionsOf(dataset));
  await run.create(OPTIMIZER, () => createPart(opened.config.optimizer, {}));
  const backend = await createBackend(opened, run, on);
  const { baseDir, customPlugins: plugins } = opened;
  const loss = run.get(LOSS);
  const teachers = await run.create(TEACHERS, () =>
    openTeachers({ loss, backend, baseDir, plugins, on, signal: options.signal }),
  );
  for (const teacher of teachers) run.onDispose("teacher", () => teacher.dispose());
}

/**
 * Tokenizer, model and loss alone: what describes the model.
 *
 * @param captions Texts for a vocabulary that is learned from them; not called for a fixed one.
 */
export async function createModelComponents(
  { opened, run, tokenizer }: Pick<ComponentOptions, "opened" | "run" | "tokenizer">,
  captions: () => Iterable<string>,
): Promise<void> {
  const { config } = opened;
  await run.create(TOKENIZER, () =>
    createPart(config.tokenizer, { captions, ...(tokenizer ? { state: tokenizer } : {}) }),
  );
  await run.create(MODEL, () =>
    createConfiguredModel(config.model, { tokenizer: run.get(TOKENIZER) }),
  );
  await run.create(LOSS, () => createLoss(opened, run.get(MODEL), run.get(TOKENIZER)));
}

export async function createBackend(
  opened: OpenedEvaluation,
  run: Run,
  on: RunListener,
): Promise<Backend> {
  return run.create(BACKEND, () =>
    createPart(opened.config.backend, { log: (text) => on({ event: "message", text }) }),
  );
}

/** A dataset of a configuration. */
export function createDataset(
  part: ResolvedPart<"dataset">,
  {
    opened,
    on,
    signal,
  }: Pick<ComponentOptions, "on" | "signal"> & { readonly opened: Pick<OpenedConfig, "baseDir"> },
): Dataset | Promise<Dataset> {
  return createPart(part, {
    baseDir: opened.baseDir,
    cacheDir: cacheFolder(),
    report: (what, done, total) => on({ event: "prepare", what, done, total }),
    ...(signal ? { signal } : {}),
  });
}

export function captionsOf(dataset: Dataset): Iterable<string> {
  if (dataset.captions) return dataset.captions();
  throw new ConfigError(
    `diptych/tokenizer: dataset "${dataset.name}": expected it to list its captions for the vocabulary, got a dataset that cannot. Use a tokenizer with a fixed vocabulary, e.g. { type: "bpe" }.`,
  );
}

/** A schedule over `totalSteps`. */
export function createSchedule(part: ResolvedPart<"schedule">, totalSteps: number): Schedule {
  return createPart(part, { totalSteps }) as Schedule;
}

/** The augmentation of training pictures, if the configuration has one. */
export function createTransform(
  part: ResolvedPart<"transform"> | undefined,
  size: { readonly imageHeight: number; readonly imageWidth: number },
): ImageTransform | undefined {
  return part && (createPart(part, size) as ImageTransform);
}

export function createEvaluator(
  part: ResolvedPart<"evaluator">,
  { baseDir }: Pick<OpenedConfig, "baseDir">,
): Evaluator {
  return createPart(part, { baseDir }) as Evaluator;
}
