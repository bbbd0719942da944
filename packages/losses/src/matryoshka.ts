/** Matryoshka: a loss on prefixes of the features, so that each prefix is an embedding of its own. */
import {
  ConfigError,
  formatDim,
  l2Normalize,
  shapeOf,
  sliceAxis,
  type Loss,
  type LossInputs,
  type Value,
} from "@diptych/core";
import { createWeightedSum } from "./weighted-sum.js";

export interface MatryoshkaOptions {
  /** Computed on each prefix. */
  readonly loss: Loss;
  /** Lengths of the prefixes, growing; usually the last is the whole width. */
  readonly dims: readonly number[];
  /** One a prefix; 1 by default, as the paper. */
  readonly weights?: readonly number[] | undefined;
}

const WHERE = "losses/matryoshka";

/** Shortest prefix that is taken by itself: the paper's. */
const LEAST_DIM = 8;

/** The widths that halving gives, as long as they are whole and at least 8 (the paper's choice), growing. */
export function matryoshkaDims(embedDim: number): readonly number[] {
  const dims = [embedDim];
  for (let dim = embedDim / 2; Number.isInteger(dim) && dim >= LEAST_DIM; dim /= 2)
    dims.unshift(dim);
  return Object.freeze(dims);
}

/** @throws ConfigError where a prefix would be longer than the features of the model. */
export function checkMatryoshkaDims(dims: readonly number[], embedDim: number): void {
  const beyond = dims.find((dim) => dim > embedDim);
  if (beyond === undefined) return;
  throw new ConfigError(
    `${WHERE}: dims: expected none beyond embedDim ${embedDim}, got ${beyond}. Leave it out, or make model.embedDim larger.`,
  );
}

/**
 * Σ_d w_d · loss(first d entries of each feature, normalised again) (Kusupati et al. 2022, arXiv:2205.13147 §3, eq. 1, on
 * two towers as its §4 for ALIGN). Each prefix is a part `dim<d>` with its own metrics (`dim64/loss`) and, where the loss
 * has some, its own parameters. The scale is one for all.
 *
 * @param options.loss Any loss of features alone: what reads tokens is not shortened.
 * @throws ConfigError for no dims, dims that do not grow, another number of weights, a weight that is not finite, or a loss
 * that reads tokens; and when built, for a dim beyond the features' width.
 */
export function createMatryoshka({ loss, dims, weights }: MatryoshkaOptions): Loss {
  checkDims(dims, weights);
  if (loss.needs.includes("tokens")) {
    throw new ConfigError(
      `${WHERE}: loss: expected a loss of features, got "${loss.name}", which reads tokens. Put it beside this one in a weighted sum.`,
    );
  }
  const sum = createWeightedSum(
    dims.map((dim, i) => ({
      name: `dim${dim}`,
      loss: onPrefix(loss, dim),
      weight: weights?.[i] ?? 1,
    })),
  );
  return Object.freeze({ ...sum, name: "matryoshka" });
}

/** The loss on the first `dim` entries. */
function onPrefix(loss: Loss, dim: number): Loss {
  return Object.freeze({
    ...loss,
    build: (context, inputs) => loss.build(context, shortened(inputs, dim)),
    ...(loss.buildScores
      ? { buildScores: (context, inputs) => loss.buildScores!(context, shortened(inputs, dim)) }
      : {}),
  } satisfies Loss);
}

function shortened(inputs: LossInputs, dim: number): LossInputs {
  const { normalized, encoded } = inputs;
  return Object.freeze({
    ...inputs,
    normalized: lazily(normalized, (features, modality) => {
      const start = prefix(features, modality, dim);
      return start === features ? features : l2Normalize(start);
    }),
    encoded: lazily(encoded, (output, modality) => ({
      intermediates: output.intermediates,
      get pooled() {
        return prefix(output.pooled, modality, dim);
      },
    })),
  });
}

/** The record with `change` made of an entry when it is read: a loss may read one modality of several. */
function lazily<T>(
  record: Readonly<Record<string, T>>,
  change: (value: T, key: string) => T,
): Readonly<Record<string, T>> {
  const made = new Map<string, T>();
  const entries = Object.keys(record).map((key) => [
    key,
    {
      enumerable: true,
      get: (): T => {
        if (!made.has(key)) made.set(key, change(record[key]!, key));
        return made.get(key)!;
      },
    },
  ]);
  return Object.defineProperties({}, Object.fromEntries(entries) as PropertyDescriptorMap);
}

/** The features themselves where the prefix is all of them. */
function prefix(features: Value, modality: string, dim: number): Value {
  const [, width = 1] = shapeOf(features);
  if (width === dim) return features;
  if (typeof width === "number" && dim < width) return sliceAxis(features, 1, 0, dim);
  throw new ConfigError(
    `${WHERE}: dims: expected none beyond the ${formatDim(width)} entries of ${modality} features, got ${dim}. Leave it out, or make the model's embedDim larger.`,
  );
}

function checkDims(dims: readonly number[], weights: readonly number[] | undefined): void {
  if (dims.length === 0) {
    throw new ConfigError(`${WHERE}: dims: expected at least one, got none. E.g. [64, 128, 256].`);
  }
  for (const [i, dim] of dims.entries()) {
    const before = dims[i - 1] ?? 0;
    if (Number.isInteger(dim) && dim > before) continue;
    throw new ConfigError(
      `${WHERE}: dims[${i}]: expected an integer above ${before}, got ${dim}. List them from the shortest to the longest.`,
    );
  }
  if (weights && weights.length !== dims.length) {
    throw new ConfigError(
      `${WHERE}: weights: expected one for each of the ${dims.length} dims, got ${weights.length}.`,
    );
  }
}
