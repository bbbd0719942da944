/** Counts of scores above each query's thresholds, both ways, over all blocks of rows and columns. */
import { createHostTensor, type Compute, type HostTensor } from "@diptych/core";
import type { Embeddings } from "../ranking.js";
import { paddedRows } from "../scores/score-blocks.js";
import { buildCountGraph, sliceName } from "./count-graph.js";
import type { Thresholds } from "./thresholds.js";

/** Rows and columns of a product, and how many products a run has. */
export interface BlockSizes {
  readonly rows: number;
  readonly columns: number;
  readonly slices: number;
}

/** Sizes at which the products run at the machine's rate while a slice's scores (4 MB) stay in a processor's cache. */
export const BLOCKS: BlockSizes = Object.freeze({ rows: 1024, columns: 1024, slices: 8 });

/** Of each query: scores of at least `low`, and scores above `high`. */
export interface ScoreCounts {
  readonly low: Uint32Array;
  readonly high: Uint32Array;
}

export interface CountOptions {
  readonly compute: Compute;
  readonly rows: Embeddings;
  readonly columns: Embeddings;
  readonly rowThresholds: Thresholds;
  readonly columnThresholds: Thresholds;
  readonly blocks?: BlockSizes;
  readonly signal?: AbortSignal | undefined;
  readonly report?: ((done: number, total: number) => void) | undefined;
}

/** Counts for the rows as queries among the columns, and for the columns among the rows. */
export async function countScores(
  options: CountOptions,
): Promise<{ readonly rows: ScoreCounts; readonly columns: ScoreCounts }> {
  const { compute, rows, columns, signal, report, blocks = BLOCKS } = options;
  const [rowCount = 0, width = 0] = rows.shape;
  const [columnCount = 0] = columns.shape;
  const counts = { rows: zeroCounts(rowCount), columns: zeroCounts(columnCount) };
  if (rowCount === 0 || columnCount === 0) return counts;
  const blockRows = Math.min(blocks.rows, rowCount);
  const most = blocks.columns * blocks.slices;
  const runs = Math.ceil(rowCount / blockRows);
  const total = runs * Math.ceil(columnCount / most);
  let done = 0;
  for (let first = 0; first < columnCount; first += most) {
    const part = planSlices(columns, { first, count: Math.min(most, columnCount - first), blocks });
    const graph = buildCountGraph({ ...part, rows: blockRows, width });
    const constants = new Map<string, HostTensor>([
      ...part.tensors,
      ["columnLow", part.thresholds(options.columnThresholds.low)],
      ["columnHigh", part.thresholds(options.columnThresholds.high)],
    ]);
    const computation = await compute.compile(graph, { constants });
    try {
      for (let from = 0; from < rowCount; from += blockRows) {
        signal?.throwIfAborted();
        const found = await computation.run({
          rows: paddedRows(rows, from, blockRows),
          rowLow: paddedThresholds(options.rowThresholds.low, from, blockRows, [blockRows, 1]),
          rowHigh: paddedThresholds(options.rowThresholds.high, from, blockRows, [blockRows, 1]),
        });
        addCounts(counts.rows, {
          found: { low: found["rowLow"], high: found["rowHigh"] },
          thresholds: options.rowThresholds,
          first: from,
          padding: part.padding,
        });
        addCounts(counts.columns, {
          found: { low: found["columnLow"], high: found["columnHigh"] },
          thresholds: options.columnThresholds,
          first,
          padding: Math.max(0, from + blockRows - rowCount),
        });
        report?.((done += 1), total);
      }
    } finally {
      await computation.dispose();
    }
  }
  return counts;
}

function zeroCounts(size: number): ScoreCounts {
  return { low: new Uint32Array(size), high: new Uint32Array(size) };
}

/** Slices of nearly equal size over `count` columns from `first` on. */
function planSlices(
  columns: Embeddings,
  { first, count, blocks }: { first: number; count: number; blocks: BlockSizes },
) {
  const slices = Math.ceil(count / blocks.columns);
  const size = Math.ceil(count / slices);
  // The last slice of a part in the middle must not reach into the next part.
  const own = paddedRows(columns, first, count);
  const tensors = Array.from(
    { length: slices },
    (_, i) => [sliceName(i), paddedRows(own, i * size, size)] as const,
  );
  return {
    slices,
    columns: size,
    padding: slices * size - count,
    tensors,
    thresholds: (values: Float32Array) =>
      paddedThresholds(values.subarray(first, first + count), 0, slices * size, [1, slices * size]),
  };
}

/** Above all scores for queries that are not there. */
function paddedThresholds(
  values: Float32Array,
  first: number,
  count: number,
  shape: readonly number[],
): HostTensor<"float32"> {
  const padded = new Float32Array(count).fill(Infinity);
  padded.set(values.subarray(first, first + count));
  return createHostTensor("float32", shape, padded);
}

interface FoundCounts {
  readonly found: { readonly low: HostTensor | undefined; readonly high: HostTensor | undefined };
  readonly thresholds: Thresholds;
  /** First query of the block. */
  readonly first: number;
  /** Candidates of zeros that filled the block up: each scores exactly 0. */
  readonly padding: number;
}

function addCounts(counts: ScoreCounts, { found, thresholds, first, padding }: FoundCounts): void {
  const low = found.low?.data ?? [];
  const high = found.high?.data ?? [];
  const queries = Math.min(low.length, counts.low.length - first);
  for (let i = 0; i < queries; i++) {
    const query = first + i;
    const tooMany = (thresholds.low[query] ?? 0) <= 0 ? padding : 0;
    const tooManyAbove = (thresholds.high[query] ?? 0) < 0 ? padding : 0;
    counts.low[query] = (counts.low[query] ?? 0) + (low[i] ?? 0) - tooMany;
    counts.high[query] = (counts.high[query] ?? 0) + (high[i] ?? 0) - tooManyAbove;
  }
}
