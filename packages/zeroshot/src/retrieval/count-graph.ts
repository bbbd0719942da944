/**
 * The counts behind ranks as one graph: products of a block of rows with slices of columns, each compared with the
 * thresholds of its row and of its column, and summed both ways, so that one product serves both directions and no more
 * of the matrix than a slice ever exists.
 */
import {
  add,
  concat,
  countTrue,
  createGraph,
  greater,
  greaterEqual,
  input,
  matmul,
  slice,
  type Graph,
  type Value,
} from "@diptych/core";

export interface CountGraphSizes {
  readonly rows: number;
  readonly width: number;
  /** Columns of a slice, and slices. */
  readonly columns: number;
  readonly slices: number;
}

export const sliceName = (index: number): string => `columns${index}`;

/**
 * Inputs: `rows` [rows, width], `columns0…` [columns, width], `rowLow`, `rowHigh` [rows, 1], `columnLow`, `columnHigh`
 * [1, slices × columns]. Outputs, float32 (exact below 2²⁴): how many scores are at least `low`, and how many above
 * `high`, by row (`rowLow`, `rowHigh` [rows]) and by column (`columnLow`, `columnHigh` [slices × columns]).
 */
export function buildCountGraph({ rows, width, columns, slices }: CountGraphSizes): Graph {
  const x = input("rows", [rows, width]);
  const rowLow = input("rowLow", [rows, 1]);
  const rowHigh = input("rowHigh", [rows, 1]);
  const columnLow = input("columnLow", [1, slices * columns]);
  const columnHigh = input("columnHigh", [1, slices * columns]);
  const count = (holds: Value, axis: number): Value => countTrue(holds, { axes: [axis] });
  const found = Array.from({ length: slices }, (_, i) => {
    const scores = matmul(x, input(sliceName(i), [columns, width]), { transposeB: true });
    const own = (thresholds: Value): Value => slice(thresholds, [0, i * columns], [1, columns]);
    return {
      rowLow: count(greaterEqual(scores, rowLow), 1),
      rowHigh: count(greater(scores, rowHigh), 1),
      columnLow: count(greaterEqual(scores, own(columnLow)), 0),
      columnHigh: count(greater(scores, own(columnHigh)), 0),
    };
  });
  return createGraph("retrieval-counts", {
    rowLow: found.map((part) => part.rowLow).reduce((a, b) => add(a, b)),
    rowHigh: found.map((part) => part.rowHigh).reduce((a, b) => add(a, b)),
    columnLow: concat(
      found.map((part) => part.columnLow),
      0,
    ),
    columnHigh: concat(
      found.map((part) => part.columnHigh),
      0,
    ),
  });
}
