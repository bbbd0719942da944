/** Rows: tensors flattened to [rows, width] for matrix products, and rows taken from sequences. */
import {
  add,
  checkShapes,
  dimSize,
  iota,
  mul,
  reshape,
  shapeOf,
  take,
  type Dim,
  type Value,
} from "@diptych/core";

/** x [..., width] as [rows, width]. */
export function toRows(x: Value): Value {
  const { width } = checkShapes("nn/toRows", [x, "x", ["...", "width"]]);
  return reshape(x, [-1, width]);
}

/** Rows [rows, width] in the leading axes of `like` [..., *]: [..., width]. */
export function fromRows(rows: Value, like: readonly Dim[]): Value {
  return reshape(rows, [...like.slice(0, -1), shapeOf(rows).at(-1) ?? 1]);
}

/**
 * Tokens chosen per sample: x [batch, tokens, width] at `positions` [batch] → [batch, width], or at [batch, kept] →
 * [batch, kept, width]. One gather of whole rows, whose gradient is one scatter of rows.
 */
export function takeTokens(x: Value, positions: Value): Value {
  const { batch, tokens, width } = checkShapes("nn/takeTokens", [
    x,
    "x",
    ["batch", "tokens", "width"],
  ]);
  const several = shapeOf(positions).length === 2;
  checkShapes(
    "nn/takeTokens",
    [x, "x", ["batch", "tokens", "width"]],
    several ? [positions, "positions", ["batch", "kept"]] : [positions, "positions", ["batch"]],
  );
  const perSample = several ? [batch, 1] : [batch];
  const start = reshape(mul(iota(batch), dimSize(tokens)), perSample);
  return take(reshape(x, [-1, width]), add(start, positions), 0);
}
