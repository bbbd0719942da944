/** Similarities of two modalities' features, and which pairs show the same concept. */
import {
  add,
  ConfigError,
  checkShapes,
  equal,
  exp,
  itemInput,
  itemInputName,
  matmul,
  mul,
  not,
  or,
  reshape,
  sampleInput,
  sampleInputName,
  shapeOf,
  type InputSpec,
  type LossInputs,
  type Value,
} from "@diptych/core";

/** Two modalities by name. */
export type Between = readonly [rows: string, columns: string];

export const IMAGE_AND_TEXT: Between = Object.freeze(["image", "text"] as const);

/**
 * What pairs of different samples of one concept are. `positives`, like a sample's own pairs; `masked`: left out, neither
 * positive nor negative; `negatives`, as in the original CLIP. A sample's own pictures and captions are always positives.
 */
export type Duplicates = "positives" | "masked" | "negatives";

/** Auxiliary inputs of both modalities that tell which pairs are positives. */
export function pairInputs(between: Between, duplicates: Duplicates): readonly InputSpec[] {
  const specs = [
    ...(duplicates === "negatives" ? [] : [sampleInput]),
    ...(duplicates === "positives" ? [] : [itemInput]),
  ];
  return Object.freeze(specs.flatMap((specOf) => between.map(specOf)));
}

/** Normalised features of a modality. @throws ConfigError where the model has no such tower. */
export function featuresOf(where: string, inputs: LossInputs, modality: string): Value {
  const features = inputs.normalized[modality];
  if (features) return features;
  throw new ConfigError(
    `${where}: modalities: expected some of ${Object.keys(inputs.normalized).join(", ")}, got "${modality}". Add an encoder for it, or name others in "between".`,
  );
}

/** Numbers of both modalities' rows: equal ones belong together. int32 [rows] and [columns]. */
export type Numbers = readonly [rows: Value, columns: Value];

/** What pairs are made of, before they are: some rows of it can be taken for themselves. */
export interface PairOperands {
  /** Normalised features [rows, embedDim] and [columns, embedDim]. */
  readonly rows: Value;
  readonly columns: Value;
  /** Concepts, unless duplicates are negatives. */
  readonly samples?: Numbers;
  /** Samples, unless duplicates are positives. */
  readonly items?: Numbers;
  /** log of the scale. */
  readonly logitScale: Value;
  readonly bias?: Value;
}

/** What pairs of two modalities are made of. */
export interface Pairs {
  /** exp(logitScale)·rows·columnsᵀ (+ bias): [rows, columns]. */
  readonly logits: Value;
  /** bool [rows, columns]: belong together. */
  readonly positives: Value;
  /** bool [rows, columns]: the pair counts; all do where it is absent. Positives always do. */
  readonly compared?: Value;
}

export interface PairOptions {
  /** `positives` by default. */
  readonly duplicates?: Duplicates;
  /** Added to every logit. */
  readonly bias?: Value;
}

/**
 * The operands of two modalities' pairs.
 *
 * @throws ShapeError where features and numbers do not fit, ConfigError on an unknown modality.
 */
export function pairOperands(
  where: string,
  inputs: LossInputs,
  { between, duplicates = "positives", bias }: PairOptions & { readonly between: Between },
): PairOperands {
  const [rowModality, columnModality] = between;
  const rows = featuresOf(where, inputs, rowModality);
  const columns = featuresOf(where, inputs, columnModality);
  const numbers = (nameOf: (modality: string) => string): Numbers => {
    const [rowName, columnName] = [nameOf(rowModality), nameOf(columnModality)];
    const [ofRows, ofColumns] = [
      auxiliaryOf(where, inputs, rowName),
      auxiliaryOf(where, inputs, columnName),
    ];
    checkShapes(
      where,
      [rows, rowModality, ["rowBatch", "embedDim"]],
      [columns, columnModality, ["columnBatch", "embedDim"]],
      [ofRows, rowName, ["rowBatch"]],
      [ofColumns, columnName, ["columnBatch"]],
    );
    return [ofRows, ofColumns];
  };
  return {
    rows,
    columns,
    logitScale: inputs.logitScale,
    ...(duplicates === "negatives" ? {} : { samples: numbers(sampleInputName) }),
    ...(duplicates === "positives" ? {} : { items: numbers(itemInputName) }),
    ...(bias ? { bias } : {}),
  };
}

/**
 * All pairs of some operands. The scale is multiplied into the rows' features first, as open_clip does (loss.py
 * get_logits), so that rounding is the same.
 */
export function pairsOf(operands: PairOperands): Pairs {
  const { rows, columns, samples, items, logitScale, bias } = operands;
  const product = matmul(mul(rows, exp(logitScale)), columns, { transposeB: true });
  const sameConcept = samples && samePairs(samples);
  const sameItem = items && samePairs(items);
  const positives = sameItem ?? sameConcept;
  if (!positives) {
    throw new ConfigError(
      `losses/pairsOf: operands: expected samples or items, got neither. Give one.`,
    );
  }
  return {
    logits: bias ? add(product, bias) : product,
    positives,
    ...(sameConcept && sameItem ? { compared: or(sameItem, not(sameConcept)) } : {}),
  };
}

function samePairs([rows, columns]: Numbers): Value {
  const [rowBatch = 1] = shapeOf(rows);
  const [columnBatch = 1] = shapeOf(columns);
  return equal(reshape(rows, [rowBatch, 1]), reshape(columns, [1, columnBatch]));
}

/**
 * All pairs of two modalities.
 *
 * @throws ShapeError where features and numbers do not fit, ConfigError on an unknown modality.
 */
export function buildPairs(
  where: string,
  inputs: LossInputs,
  options: PairOptions & { readonly between: Between },
): Pairs {
  return pairsOf(pairOperands(where, inputs, options));
}

/** An auxiliary input by name. @throws ConfigError where the step does not feed it. */
export function auxiliaryOf(where: string, { auxiliary }: LossInputs, name: string): Value {
  const value = auxiliary[name];
  if (value) return value;
  throw new ConfigError(
    `${where}: auxiliary: expected the input "${name}", got ${Object.keys(auxiliary).join(", ") || "none"}. Feed every input that the loss lists in "auxiliary".`,
  );
}
