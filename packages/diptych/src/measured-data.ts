/** What data a model was trained or measured on: its configuration, size and a hash of its content. */
import { ConfigError, type Dataset, type ResolvedPart, type SizedDataset } from "@diptych/core";
import { createDataset } from "./components.js";
import type { OpenedConfig, OpenedEvaluation } from "./load-config.js";
import type { WatchOptions } from "./run-events.js";

/** Data that a model was trained or measured on. */
export interface MeasuredData {
  readonly name: string;
  readonly type: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** null for a stream. */
  readonly size: number | null;
  /** Hash of the content; null where it was not asked for or the dataset gives none (`note` says which). */
  readonly fingerprint: string | null;
  readonly note: string;
}

/** What an evaluator measures on. */
export interface EvaluatorData {
  readonly data: MeasuredData;
  /** What it learns from, where it does: linear probe, few shots, nearest neighbours. */
  readonly trainData?: MeasuredData;
}

/** The dataset of an evaluator, for who shows its samples; the caller disposes it. @throws ConfigError on an unknown name. */
export async function openEvaluatorDataset(
  opened: OpenedEvaluation,
  name: string,
): Promise<SizedDataset> {
  const entry = opened.config.evaluators.find((one) => one.name === name);
  const dataset = entry && (await createDataset(entry.dataset, { opened, on: () => undefined }));
  if (dataset?.kind === "sized") return dataset;
  throw new ConfigError(
    `diptych/openEvaluatorDataset: ${name}: expected an evaluator of ${opened.source} with a dataset of known size, got none.`,
  );
}

/** What an evaluator of `opened` would measure on now, hashed. @throws what opening a dataset throws. */
export async function identifyEvaluatorData(
  opened: OpenedEvaluation,
  { dataset, trainDataset }: OpenedEvaluation["config"]["evaluators"][number],
  options: WatchOptions = {},
): Promise<EvaluatorData> {
  return {
    data: await identifyPart(opened, dataset, options),
    ...(trainDataset ? { trainData: await identifyPart(opened, trainDataset, options) } : {}),
  };
}

/** What a configuration would train on now, hashed. @throws what opening a dataset throws. */
export async function identifyTrainingData(
  opened: OpenedConfig,
  options: WatchOptions = {},
): Promise<MeasuredData> {
  return identifyPart(opened, opened.config.data.train, options);
}

async function identifyPart(
  opened: OpenedEvaluation,
  part: ResolvedPart<"dataset">,
  { on = () => undefined, signal }: WatchOptions,
): Promise<MeasuredData> {
  const dataset = await createDataset(part, { opened, on, ...(signal ? { signal } : {}) });
  try {
    return await identifyDataset(dataset, part, true);
  } finally {
    await dataset.dispose?.();
  }
}

/** What a dataset is; its content is hashed where `fingerprints` asks for it. */
export async function identifyDataset(
  dataset: Dataset,
  { declaration, config }: ResolvedPart<"dataset">,
  fingerprints: boolean = false,
): Promise<MeasuredData> {
  const sized = dataset.kind === "sized" ? dataset : undefined;
  const { hash, note } = (fingerprints ? await sized?.fingerprint?.() : undefined) ?? {
    hash: null,
    note: fingerprints ? "this dataset gives no fingerprint" : "not asked for",
  };
  return {
    name: dataset.name,
    type: declaration.type,
    config: config as Readonly<Record<string, unknown>>,
    size: sized?.size ?? null,
    fingerprint: hash,
    note,
  };
}
