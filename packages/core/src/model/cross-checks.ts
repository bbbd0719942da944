/** Checks between towers, made before anything is built, so that the error names the config and not a matmul. */
import type { Encoder } from "../contracts/encoder.js";
import { ConfigError, ShapeError } from "../errors.js";
import { equalShapes, formatShape } from "../tensor/shape.js";

/**
 * The width that all towers share.
 *
 * @throws ShapeError naming the towers, their widths and their config keys where widths differ; ConfigError without a tower.
 */
export function checkEmbedDims(encoders: Readonly<Record<string, Encoder>>): number {
  const entries = Object.entries(encoders);
  const [first] = entries;
  if (!first) {
    throw new ConfigError(
      "core/createMultiEncoder: encoders: expected at least one, got none. Name one by modality, e.g. { image, text }.",
    );
  }
  const width = first[1].embedDim;
  const other = entries.find(([, encoder]) => encoder.embedDim !== width);
  if (other) {
    const listed = entries
      .map(([name, { embedDim }]) => `${name} ${embedDim} (model.encoders.${name})`)
      .join(", ");
    throw new ShapeError(
      `core/createMultiEncoder: embedDim: expected one width for all towers, got ${listed}. Give both encoders the same embedDim (model.embedDim).`,
    );
  }
  return width;
}

/** @throws ConfigError where an encoder encodes another modality than the one it is listed under. */
export function checkModalities(encoders: Readonly<Record<string, Encoder>>): void {
  for (const [name, { modality }] of Object.entries(encoders)) {
    if (modality === name) continue;
    throw new ConfigError(
      `core/createMultiEncoder: model.encoders.${name}: expected an encoder of ${name}, got one of ${modality}. List it under its own modality.`,
    );
  }
}

/** Inputs of one name must be the same input. @throws ShapeError naming both encoders. */
export function checkSharedInputs(encoders: Readonly<Record<string, Encoder>>): void {
  const seen = new Map<
    string,
    { modality: string; text: string; shape: Encoder["inputs"][number] }
  >();
  for (const [modality, encoder] of Object.entries(encoders)) {
    for (const spec of encoder.inputs) {
      const before = seen.get(spec.name);
      const text = `${spec.dtype}${formatShape(spec.shape)}`;
      if (!before) seen.set(spec.name, { modality, text, shape: spec });
      else if (before.shape.dtype !== spec.dtype || !equalShapes(before.shape.shape, spec.shape)) {
        throw new ShapeError(
          `core/createMultiEncoder: input "${spec.name}": expected one shape, got ${before.text} from ${before.modality} and ${text} from ${modality}. Rename one input or give the encoders the same sizes.`,
        );
      }
    }
  }
}
