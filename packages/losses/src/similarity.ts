/** Similarities of two modalities' features, and which pairs show the same concept. */
import {
  add,
  ConfigError,
  checkShapes,
  equal,
  exp,
  matmul,
  mul,
  reshape,
  symbolDim,
  type InputSpec,
  type LossInputs,
  type Value,
} from "@diptych/core";

/** Two modalities by name. */
export type Between = readonly [rows: string, columns: string];

export const IMAGE_AND_TEXT: Between = Object.freeze(["image", "text"] as const);

/** Name of the auxiliary input that numbers the samples of a modality. */
export function sampleInputName(modality: string): string {
  return `${modality}Sample`;
}

/** `<modality>Sample` int32 [<modality>Batch]: rows with equal numbers show the same concept. */
export function sampleInput(modality: string): InputSpec {
  return Object.freeze({
    name: sampleInputName(modality),
    shape: Object.freeze([symbolDim(`${modality}Batch`)]),
    dtype: "int32",
  });
}

/** Normalised features of a modality. @throws ConfigError where the model has no such tower. */
export function featuresOf(where: string, inputs: LossInputs, modality: string): Value {
  const features = inputs.normalized[modality];
  if (features) return features;
  throw new ConfigError(
    `${where}: modalities: expected some of ${Object.keys(inputs.normalized).join(", ")}, got "${modality}". Add an encoder for it, or name others in "between".`,
  );
}

/** What pairs of two modalities are made of. */
export interface Pairs {
  /** exp(logitScale)·rows·columnsᵀ (+ logitBias): [rows, columns]. */
  readonly logits: Value;
  /** bool [rows, columns]: the same concept. */
  readonly positives: Value;
}

/**
 * All pairs of two modalities. The scale is multiplied into the rows' features first, as open_clip does (loss.py
 * get_logits), so that rounding is the same.
 *
 * @throws ShapeError where features and sample numbers do not fit, ConfigError on an unknown modality.
 */
export function buildPairs(
  where: string,
  inputs: LossInputs,
  [rowModality, columnModality]: Between,
  bias?: Value,
): Pairs {
  const rows = featuresOf(where, inputs, rowModality);
  const columns = featuresOf(where, inputs, columnModality);
  const rowSample = auxiliaryOf(where, inputs, sampleInputName(rowModality));
  const columnSample = auxiliaryOf(where, inputs, sampleInputName(columnModality));
  const { rowBatch, columnBatch } = checkShapes(
    where,
    [rows, rowModality, ["rowBatch", "embedDim"]],
    [columns, columnModality, ["columnBatch", "embedDim"]],
    [rowSample, sampleInputName(rowModality), ["rowBatch"]],
    [columnSample, sampleInputName(columnModality), ["columnBatch"]],
  );
  const product = matmul(mul(rows, exp(inputs.logitScale)), columns, { transposeB: true });
  return {
    logits: bias ? add(product, bias) : product,
    positives: equal(reshape(rowSample, [rowBatch, 1]), reshape(columnSample, [1, columnBatch])),
  };
}

/** An auxiliary input by name. @throws ConfigError where the step does not feed it. */
export function auxiliaryOf(where: string, { auxiliary }: LossInputs, name: string): Value {
  const value = auxiliary[name];
  if (value) return value;
  throw new ConfigError(
    `${where}: auxiliary: expected the input "${name}", got ${Object.keys(auxiliary).join(", ") || "none"}. Feed every input that the loss lists in "auxiliary".`,
  );
}
