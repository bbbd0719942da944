/**
 * Sums over chunks of rows, one chunk alive at a time, forward and backward: each chunk's derivative is computed beside its
 * value and kept, in place of the pairs that a backward part would read.
 */
import {
  add,
  addDims,
  after,
  bindDim,
  concat,
  ConfigError,
  formatDim,
  gradients,
  isDifferentiable,
  mul,
  reshape,
  sliceAxis,
  stopGradient,
  sub,
  subDims,
  sum,
  type Dim,
  type DimBinding,
  type Value,
} from "@diptych/core";

export interface RowChunkOptions {
  readonly where: string;
  /** Most rows a chunk may have. */
  readonly chunkSize: number;
  /** What symbols will stand for. */
  readonly sizes?: DimBinding | undefined;
}

/**
 * How many rows each chunk has: `chunkSize`, the last what is left over (a dim in the symbol of `rows`, so that all of them
 * together are `rows`).
 *
 * @throws ConfigError where the number of rows is not known.
 */
export function rowChunks(rows: Dim, { where, chunkSize, sizes = {} }: RowChunkOptions): Dim[] {
  const known = bindDim(rows, sizes);
  if (typeof known !== "number") {
    throw new ConfigError(
      `${where}: chunkSize: expected the number of rows to be known when the loss is built, got ${formatDim(rows)}. Give buildLoss the batch's sizes, e.g. { sizes: { imageBatch: 256, textBatch: 256 } }.`,
    );
  }
  const whole = Math.max(0, Math.ceil(known / chunkSize) - 1);
  return [...Array.from({ length: whole }, () => chunkSize), subDims(rows, whole * chunkSize)];
}

export interface ChunkedSumOptions {
  /** Rows of each chunk; together the first axis of all `rows`. */
  readonly chunks: readonly Dim[];
  /** Values whose rows are taken chunk by chunk; at least one. */
  readonly rows: readonly Value[];
  /** Values that every chunk sees whole. */
  readonly whole: readonly Value[];
  /** Scalars of one chunk: what is differentiated, and what is only added up. */
  readonly build: (
    rows: readonly Value[],
    whole: readonly Value[],
  ) => { readonly value: Value; readonly sums: readonly Value[] };
}

/** Scalars, added up over chunks. */
export interface ChunkedSum {
  /** Has derivatives by `rows` and `whole`. */
  readonly value: Value;
  /** Has none. */
  readonly sums: readonly Value[];
}

/** What chunks gave so far. */
interface Totals {
  /** The value, then the sums. */
  readonly scalars: readonly Value[];
  /** Derivatives by rows, chunk after chunk. */
  readonly ofRows: readonly (readonly Value[])[];
  readonly ofWhole: readonly Value[];
}

/**
 * Σ over chunks of `build`, exact in value and first derivative, with the memory of one chunk and of the gradients by `rows`
 * and `whole`, and without computing anything twice. Each chunk waits (`after`) until the one before it is done.
 *
 * The derivative of the result is that of Σ x·g with each chunk's gradients g held constant, so second derivatives are not
 * right. Gradients are computed wherever the value is.
 */
export function buildChunkedSum({ chunks, rows, whole, build }: ChunkedSumOptions): ChunkedSum {
  const heldRows = rows.map(stopGradient);
  const heldWhole = whole.map(stopGradient);
  let begin: Dim = 0;
  let totals: Totals | undefined;
  for (const size of chunks) {
    const gate = totals && doneWith(totals);
    const from = begin;
    const parts = heldRows.map((value) => {
      const part = sliceAxis(value, 0, from, size);
      return gate ? after(part, gate) : part;
    });
    totals = addChunk(totals, differentiate(build(parts, heldWhole), parts, heldWhole));
    begin = addDims(begin, size);
  }
  const { scalars, ofRows, ofWhole } = totals!;
  const gradientsOf = [...ofRows.map((parts) => concat(parts, 0)), ...ofWhole];
  const [value, ...sums] = scalars as [Value, ...Value[]];
  return {
    value: withGradients(value, [...rows, ...whole].filter(isDifferentiable), gradientsOf),
    sums,
  };
}

/** One chunk's scalars and derivatives, as totals. */
function differentiate(
  { value, sums }: ReturnType<ChunkedSumOptions["build"]>,
  parts: readonly Value[],
  whole: readonly Value[],
): Totals {
  const rowsOf = parts.filter(isDifferentiable);
  const result = gradients({
    outputs: [value],
    wrt: [...rowsOf, ...whole.filter(isDifferentiable)],
    carry: sums,
  });
  return {
    scalars: [...result.outputs, ...result.carried],
    ofRows: result.gradients.slice(0, rowsOf.length).map((gradient) => [gradient]),
    ofWhole: result.gradients.slice(rowsOf.length),
  };
}

function addChunk(before: Totals | undefined, chunk: Totals): Totals {
  if (!before) return chunk;
  return {
    scalars: before.scalars.map((value, i) => add(value, chunk.scalars[i]!)),
    ofRows: before.ofRows.map((parts, i) => [...parts, ...chunk.ofRows[i]!]),
    ofWhole: before.ofWhole.map((value, i) => add(value, chunk.ofWhole[i]!)),
  };
}

/** A small value that is there only when everything that reads the last chunk's pairs is. */
function doneWith({ scalars, ofRows, ofWhole }: Totals): Value {
  const small = concat(
    scalars.map((value) => reshape(value, [1])),
    0,
  );
  return [...ofRows.map((parts) => parts.at(-1)!), ...ofWhole].reduce(after, small);
}

/** `value`, whose derivative by each of `by` is the given one: x − x is exactly 0, and its derivative is not. */
function withGradients(value: Value, by: readonly Value[], given: readonly Value[]): Value {
  return by.reduce((total, x, i) => {
    const nothing = sub(x, stopGradient(x));
    return add(total, sum(mul(nothing, stopGradient(given[i]!))));
  }, stopGradient(value));
}
