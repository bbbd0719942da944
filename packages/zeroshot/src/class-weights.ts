/**
 * Class weights: for each class the mean of its prompts' unit vectors, made a unit vector again (CLIP §3.1.4; the
 * order normalise → mean → normalise matters, clip-numerics §14 trap 12).
 */
import { createHostTensor, DataError, type EncodeFunctions } from "@diptych/core";
import { fillPrompts } from "./prompts/class-prompts.js";
import type { Templates } from "./prompts/prompt-file.js";
import type { Embeddings } from "./ranking.js";
import { rowLengths } from "./scores/rounding.js";

export interface PromptEmbeddingOptions {
  readonly encode: Pick<EncodeFunctions, "texts">;
  /** Prompts embedded at once; what runs in one batch is the encoder's matter. */
  readonly batchSize?: number;
  readonly signal?: AbortSignal | undefined;
  /** Told after each batch: different prompts embedded, and how many there are. */
  readonly report?: ((done: number, total: number) => void) | undefined;
}

export interface ClassWeightOptions extends PromptEmbeddingOptions {
  readonly classNames: readonly string[];
  /** Each fills every name, or prompts by class name. */
  readonly templates: Templates;
}

/** [classes, width], unit rows. @throws DataError without classes or templates. */
export async function buildClassWeights(options: ClassWeightOptions): Promise<Embeddings> {
  const { classNames, templates } = options;
  const count = Object.keys(templates).length;
  if (classNames.length === 0 || count === 0) {
    throw new DataError(
      `zeroshot/buildClassWeights: prompts: expected at least one class and one template, got ${classNames.length} and ${count}.`,
    );
  }
  return embedPrompts(fillPrompts(classNames, templates).prompts, options);
}

/**
 * wₖ = m/‖m‖ with m = mean over the prompts p of class k of e(p)/‖e(p)‖. A prompt that several classes share is embedded
 * once; prompts go in order of their length, so that a batch is no longer than its texts need.
 *
 * @returns [classes, width]; zero where a class's vectors cancel out
 */
export async function embedPrompts(
  prompts: readonly (readonly string[])[],
  { encode, batchSize = 4096, signal, report }: PromptEmbeddingOptions,
): Promise<Embeddings> {
  const users = usersOf(prompts);
  const distinct = [...users.keys()].sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  let sums: Float64Array | undefined;
  let width = 0;
  for (let start = 0; start < distinct.length; start += batchSize) {
    signal?.throwIfAborted();
    const batch = distinct.slice(start, start + batchSize);
    const vectors = await encode.texts(batch, signal ? { signal } : {});
    width = vectors.shape[1] ?? 0;
    const total = (sums ??= new Float64Array(prompts.length * width));
    const lengths = rowLengths(vectors);
    batch.forEach((prompt, row) => {
      const length = lengths[row] || 1;
      addScaledRow(vectors, { row, length, to: users.get(prompt) ?? [], sums: total });
    });
    report?.(Math.min(distinct.length, start + batchSize), distinct.length);
  }
  const rows = unitRows(sums ?? new Float64Array(0), width);
  return createHostTensor("float32", [prompts.length, width], rows);
}

/** Different prompts, each with the classes that use it (as often as they do). */
export function usersOf(
  prompts: readonly (readonly string[])[],
): ReadonlyMap<string, readonly number[]> {
  const users = new Map<string, number[]>();
  prompts.forEach((all, index) => {
    for (const prompt of all) {
      const known = users.get(prompt);
      if (known) known.push(index);
      else users.set(prompt, [index]);
    }
  });
  return users;
}

function addScaledRow(
  { data, shape }: Embeddings,
  {
    row,
    length,
    to,
    sums,
  }: { row: number; length: number; to: readonly number[]; sums: Float64Array },
): void {
  const width = shape[1] ?? 0;
  const from = row * width;
  for (const index of to) {
    const at = index * width;
    for (let i = 0; i < width; i++)
      sums[at + i] = (sums[at + i] ?? 0) + (data[from + i] ?? 0) / length;
  }
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
