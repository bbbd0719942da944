/** Scores of queries against candidates, block by block on the host: for what needs them one by one (top k, near ties). */
import { createGraph, createHostTensor, input, matmul, type Compute } from "@diptych/core";
import type { Embeddings } from "../ranking.js";

/** Rows of a block: products of this size run at a processor's full rate, and their scores stay in its caches. */
const QUERIES = 512;
const CANDIDATES = 2048;

/** Scores of `queries` × `candidates`, row-major with `stride` columns. */
export interface ScoreBlock {
  readonly scores: Float32Array;
  readonly stride: number;
  readonly firstQuery: number;
  readonly queries: number;
  readonly firstCandidate: number;
  readonly candidates: number;
}

export interface ScoreBlockOptions {
  readonly compute: Compute;
  /** [queries, width] and [candidates, width]. */
  readonly queries: Embeddings;
  readonly candidates: Embeddings;
  /** Of a block; less for small sets. */
  readonly blockQueries?: number;
  readonly blockCandidates?: number;
  readonly signal?: AbortSignal | undefined;
  /** Told after each block. */
  readonly report?: ((done: number, total: number) => void) | undefined;
}

/** Rows and columns of each block's product. */
export function blockSizes({
  queries,
  candidates,
  blockQueries = QUERIES,
  blockCandidates = CANDIDATES,
}: Pick<ScoreBlockOptions, "queries" | "candidates" | "blockQueries" | "blockCandidates">): {
  readonly rows: number;
  readonly columns: number;
} {
  return {
    rows: Math.min(queries.shape[0] ?? 0, blockQueries),
    columns: Math.min(candidates.shape[0] ?? 0, blockCandidates),
  };
}

/**
 * Calls `use` with each block of scores (float32). The next block is computed while `use` works on one. Memory: two blocks
 * beside what is given.
 */
export async function eachScoreBlock(
  options: ScoreBlockOptions,
  use: (block: ScoreBlock) => void,
): Promise<void> {
  const { compute, queries, candidates, signal, report } = options;
  const [queryCount = 0, width = 0] = queries.shape;
  const [candidateCount = 0] = candidates.shape;
  if (queryCount === 0 || candidateCount === 0) return;
  const { rows, columns } = blockSizes(options);
  const total = Math.ceil(queryCount / rows) * Math.ceil(candidateCount / columns);
  const scores = matmul(input("queries", [rows, width]), input("candidates", [columns, width]), {
    transposeB: true,
  });
  const graph = createGraph("scores", { scores });
  let done = 0;
  for (let first = 0; first < candidateCount; first += columns) {
    const constants = new Map([["candidates", paddedRows(candidates, first, columns)]]);
    const computation = await compute.compile(graph, { constants });
    const start = (from: number) => computation.run({ queries: paddedRows(queries, from, rows) });
    let next = start(0);
    try {
      for (let from = 0; from < queryCount; from += rows) {
        const found = await next;
        signal?.throwIfAborted();
        if (from + rows < queryCount) next = start(from + rows);
        use({
          scores: found["scores"]?.data as Float32Array,
          stride: columns,
          firstQuery: from,
          queries: Math.min(rows, queryCount - from),
          firstCandidate: first,
          candidates: Math.min(columns, candidateCount - first),
        });
        report?.((done += 1), total);
      }
    } finally {
      // Of a block that nobody waits for any more, because `use` threw.
      await next.catch(() => undefined);
      await computation.dispose();
    }
  }
}

/** `count` rows from `first` on, without a copy where there are as many; zeros follow where not. */
export function paddedRows(embeddings: Embeddings, first: number, count: number): Embeddings {
  const [rows = 0, width = 0] = embeddings.shape;
  const there = embeddings.data.subarray(first * width, Math.min(rows, first + count) * width);
  if (there.length === count * width) return createHostTensor("float32", [count, width], there);
  const data = new Float32Array(count * width);
  data.set(there);
  return createHostTensor("float32", [count, width], data);
}

/** A copy of the rows at `positions`. */
export function takeRows(embeddings: Embeddings, positions: ArrayLike<number>): Embeddings {
  const width = embeddings.shape[1] ?? 0;
  const data = new Float32Array(positions.length * width);
  for (let i = 0; i < positions.length; i++) {
    const from = (positions[i] ?? 0) * width;
    data.set(embeddings.data.subarray(from, from + width), i * width);
  }
  return createHostTensor("float32", [positions.length, width], data);
}
