/** The data's part of logistic regression, compiled once: loss and gradient of all rows at given weights. */
import { createHostTensor, DataError, type Compute, type HostTensor } from "@diptych/core";
import type { Embeddings } from "../ranking.js";
import { paddedRows } from "../scores/score-blocks.js";
import { buildLogisticGraph } from "./logistic-graph.js";

/** Rows of a product: its scores (2 MB for 128 classes) stay in a processor's caches. */
const SLICE_ROWS = 4096;
/** Rows of a graph, between two looks at the signal. */
const BLOCK_ROWS = 16 * SLICE_ROWS;

export interface LogisticData {
  readonly compute: Compute;
  /** [rows, width]; read in every evaluation. */
  readonly features: Embeddings;
  /** Class of each row, from 0. */
  readonly labels: ArrayLike<number>;
  readonly classes: number;
  readonly signal?: AbortSignal | undefined;
}

export interface LogisticProblem {
  /** Sum over the rows at `point`: classes × (width weights), then the classes' biases. */
  evaluate(point: Float64Array): Promise<{
    readonly loss: number;
    readonly gradient: Float64Array;
  }>;
  dispose(): Promise<void>;
}

/**
 * Products in float32 on the backend, sums of blocks and of losses in float64. Memory: features as the backend keeps
 * them, and a slice's scores.
 *
 * @throws DataError on labels that are none of the classes, and on features that are no numbers
 */
export async function createLogisticProblem(data: LogisticData): Promise<LogisticProblem> {
  checkData(data);
  const { features, classes, signal } = data;
  const [rows = 0, width = 0] = features.shape;
  const blocks: Awaited<ReturnType<Compute["compile"]>>[] = [];
  const dispose = async (): Promise<void> => {
    for (const block of blocks) await block.dispose();
  };
  try {
    for (let first = 0; first < rows; first += BLOCK_ROWS)
      blocks.push(await compileBlock(data, first, Math.min(rows, first + BLOCK_ROWS)));
  } catch (error) {
    await dispose();
    throw error;
  }
  const size = classes * width;
  return Object.freeze({
    dispose,
    evaluate: async (point: Float64Array) => {
      const feeds = {
        weights: createHostTensor(
          "float32",
          [classes, width],
          new Float32Array(point.subarray(0, size)),
        ),
        bias: createHostTensor("float32", [1, classes], new Float32Array(point.subarray(size))),
      };
      const gradient = new Float64Array(size + classes);
      let loss = 0;
      for (const block of blocks) {
        signal?.throwIfAborted();
        const found = await block.run(feeds);
        for (const value of found["losses"]?.data ?? []) loss += value;
        accumulate(gradient, found["weights"], 0);
        accumulate(gradient, found["bias"], size);
      }
      return { loss, gradient };
    },
  });
}

function compileBlock(
  { compute, features, labels, classes }: LogisticData,
  first: number,
  end: number,
): ReturnType<Compute["compile"]> {
  const width = features.shape[1] ?? 0;
  const constants = new Map<string, HostTensor>();
  const slices: number[] = [];
  for (let from = first; from < end; from += SLICE_ROWS) {
    const rows = Math.min(SLICE_ROWS, end - from);
    const own = Int32Array.from({ length: rows }, (_, i) => labels[from + i] ?? 0);
    constants.set(`x${slices.length}`, paddedRows(features, from, rows));
    constants.set(`y${slices.length}`, createHostTensor("int32", [rows, 1], own));
    slices.push(rows);
  }
  return compute.compile(buildLogisticGraph({ slices, width, classes }), { constants });
}

function accumulate(to: Float64Array, part: HostTensor | undefined, from: number): void {
  const values = part?.data ?? [];
  for (let i = 0; i < values.length; i++) to[from + i] = (to[from + i] ?? 0) + (values[i] ?? 0);
}

function checkData({ features, labels, classes }: LogisticData): void {
  const [rows = 0] = features.shape;
  if (labels.length !== rows || rows === 0) {
    throw new DataError(
      `zeroshot/logistic: labels: expected one for each of at least one row, got ${labels.length} for ${rows}.`,
    );
  }
  for (let i = 0; i < rows; i++) {
    const label = labels[i] ?? -1;
    if (Number.isInteger(label) && label >= 0 && label < classes) continue;
    throw new DataError(
      `zeroshot/logistic: labels: expected classes from 0 to ${classes - 1}, got ${label} (row ${i}).`,
    );
  }
  const broken = features.data.findIndex((value) => !Number.isFinite(value));
  if (broken >= 0) {
    throw new DataError(
      `zeroshot/logistic: features: expected finite numbers, got ${features.data[broken]} in row ${Math.floor(broken / (features.shape[1] ?? 1))}. Check the model with \`diptych doctor\`.`,
    );
  }
}
