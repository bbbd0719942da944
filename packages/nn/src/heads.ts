/** The heads of attention: rows split among them, and joined again. */
import {
  checkShapes,
  mulDims,
  reshape,
  shapeOf,
  ShapeError,
  transpose,
  type Value,
} from "@diptych/core";
import { lastSize } from "./linear.js";

/**
 * Width of one head.
 *
 * @throws ShapeError where `heads` does not divide the width.
 */
export function headSize(width: number, heads: number, what: string): number {
  if (Number.isInteger(heads) && heads >= 1 && width % heads === 0) return width / heads;
  const fitting = Array.from({ length: Math.min(width, 64) }, (_, i) => i + 1).filter(
    (n) => width % n === 0,
  );
  throw new ShapeError(
    `${what}: heads: expected a divisor of the width ${width}, got ${heads}. Use one of ${fitting.join(", ")}.`,
  );
}

/** [batch, count, width] → [batch, heads, count, width/heads]; `heads` divides the width. */
export function splitHeads(rows: Value, heads: number): Value {
  const what = "nn/splitHeads";
  const { batch, count } = checkShapes(what, [rows, "rows", ["batch", "count", "width"]]);
  const split = reshape(rows, [batch, count, heads, lastSize(rows, what) / heads]);
  return transpose(split, [0, 2, 1, 3]);
}

/** [batch, heads, count, headDim] → [batch, count, heads·headDim]. */
export function joinHeads(value: Value): Value {
  const [batch = 1, heads = 1, count = 1, headDim = 1] = shapeOf(value);
  return reshape(transpose(value, [0, 2, 1, 3]), [batch, count, mulDims(heads, headDim)]);
}
