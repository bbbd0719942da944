/**
 * Class weights: for each class the mean of its prompts' unit vectors, made a unit vector again (CLIP §3.1.4; the
 * order normalise → mean → normalise matters, clip-numerics §14 trap 12).
 */
import { createHostTensor, DataError, type EncodeFunctions } from "@diptych/core";
import type { Embeddings } from "./ranking.js";
import { fillTemplate } from "./templates.js";

export interface ClassWeightOptions {
  readonly encode: Pick<EncodeFunctions, "texts">;
  readonly classNames: readonly string[];
  readonly templates: readonly string[];
  /** Prompts embedded at once. */
  readonly batchSize?: number;
  readonly report?: (done: number, total: number) => void;
}

/** [classes, width], unit rows. @throws DataError without classes or templates. */
export async function buildClassWeights(options: ClassWeightOptions): Promise<Embeddings> {
  const { encode, classNames, templates, batchSize = 256, report } = options;
  if (classNames.length === 0 || templates.length === 0) {
    throw new DataError(
      `zeroshot/buildClassWeights: prompts: expected at least one class and one template, got ${classNames.length} and ${templates.length}.`,
    );
  }
  const prompts = classNames.flatMap((name) =>
    templates.map((template) => fillTemplate(template, name)),
  );
  let sums: Float64Array | undefined;
  let width = 0;
  for (let start = 0; start < prompts.length; start += batchSize) {
    const vectors = await encode.texts(prompts.slice(start, start + batchSize));
    width = vectors.shape[1] ?? 0;
    sums ??= new Float64Array(classNames.length * width);
    for (let i = 0; i < vectors.data.length; i++) {
      const prompt = start + Math.floor(i / width);
      const at = Math.floor(prompt / templates.length) * width + (i % width);
      sums[at] = (sums[at] ?? 0) + (vectors.data[i] ?? 0);
    }
    report?.(Math.min(prompts.length, start + batchSize), prompts.length);
  }
  return createHostTensor(
    "float32",
    [classNames.length, width],
    unitRows(sums ?? new Float64Array(0), width),
  );
}

/** Rows scaled to length 1; a zero row stays zero. */
export function unitRows(values: Float64Array, width: number): Float32Array {
  const unit = new Float32Array(values.length);
  for (let row = 0; row * width < values.length; row++) {
    let square = 0;
    for (let i = 0; i < width; i++) square += (values[row * width + i] ?? 0) ** 2;
    const length = Math.sqrt(square) || 1;
    for (let i = 0; i < width; i++) unit[row * width + i] = (values[row * width + i] ?? 0) / length;
  }
  return unit;
}
