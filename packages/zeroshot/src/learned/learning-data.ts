/** What evaluators that learn need: features and classes of the samples to learn from, and of those to answer for. */
import { ConfigError, type EvaluationContext, type Sample } from "@diptych/core";
import { resolveTargets } from "../class-targets.js";
import { embedDataset } from "../embed-dataset.js";
import type { Embeddings } from "../ranking.js";

export interface LabelledFeatures {
  /** One row a picture. */
  readonly features: Embeddings;
  readonly targets: readonly number[];
  /** Of each row. */
  readonly ids: readonly string[];
  /** Of each row: position in its dataset. */
  readonly positions: readonly number[];
}

export interface LearningData {
  readonly train: LabelledFeatures;
  readonly test: LabelledFeatures;
  /** Names that occur in either set, sorted. */
  readonly classNames: readonly string[];
  readonly notes: readonly string[];
}

export interface LearningOptions {
  /** Name of the evaluator, for errors. */
  readonly evaluator: string;
  readonly label: string;
  readonly normalize: boolean;
}

/** @throws ConfigError without a training set, DataError on samples without the label. */
export async function embedLearningData(
  context: EvaluationContext,
  { evaluator, label, normalize }: LearningOptions,
): Promise<LearningData> {
  const { dataset, trainDataset, random, report } = context;
  if (!trainDataset) {
    throw new ConfigError(
      `zeroshot/${evaluator}: trainDataset: expected a dataset to learn from, got none. Give the evaluator's entry a trainDataset beside its dataset.`,
    );
  }
  const total = trainDataset.size + dataset.size;
  const progress = (before: number) => report && ((done: number) => report(before + done, total));
  const embed = async (part: typeof dataset, name: string, before: number) => {
    const told = progress(before);
    const own = { ...context, dataset: part, random: random.split(name) };
    return embedDataset(told ? { ...own, report: told } : own, { texts: false, normalize });
  };
  const train = await embed(trainDataset, "train", 0);
  const test = await embed(dataset, "test", trainDataset.size);
  const labelled = { label, labelIs: "name", multiLabel: false } as const;
  const of = (
    samples: readonly Omit<Sample, "images">[],
    name: string,
    names?: readonly string[],
  ) => resolveTargets(samples, { ...labelled, dataset: name, classNames: names });
  const own = of(train.samples, trainDataset.name);
  const others = of(test.samples, dataset.name);
  const classNames = [...new Set([...own.classNames, ...others.classNames])].sort();
  const rows = (
    { samples, images, imageSample }: typeof train,
    { targets }: typeof own,
  ): LabelledFeatures => ({
    features: images,
    targets: imageSample.map((sample) => targets[sample]?.[0] ?? -1),
    ids: imageSample.map((sample) => samples[sample]?.id ?? ""),
    positions: imageSample,
  });
  return Object.freeze({
    train: rows(train, of(train.samples, trainDataset.name, classNames)),
    test: rows(test, of(test.samples, dataset.name, classNames)),
    classNames,
    notes: noteOnUnseen(own.classNames, others.classNames),
  });
}

function noteOnUnseen(train: readonly string[], test: readonly string[]): readonly string[] {
  const known = new Set(train);
  const unseen = test.filter((name) => !known.has(name));
  if (unseen.length === 0) return [];
  const more = unseen.length > 3 ? ", …" : "";
  return [
    `${unseen.length} of ${test.length} classes have no picture to learn from (${unseen.slice(0, 3).join(", ")}${more}): their pictures count as wrong.`,
  ];
}
