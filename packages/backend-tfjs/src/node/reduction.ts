/** Reductions: sums over rows as a product with a row of ones, which reads the matrix once at the memory's speed. */
import { elementCount, isFloat } from "@diptych/core";
import type { PrimitiveAttrs } from "@diptych/core/backend";
import { product } from "./matmul.js";
import { operand, resultOf, type TfLowering } from "./lowering.js";
import { boolAttr, typeAttr } from "./tf-binding.js";
import type { TfOps, TfTensor } from "./tf-ops.js";

export interface Reduction {
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

/** Op over `axes`; over none it is x. bfloat16 is added up in float32. */
export function reduce(
  op: "Sum" | "Mean" | "Max" | "EuclideanNorm",
  x: TfTensor,
  { axes, keepDims, tf }: Reduction & { readonly tf: TfOps },
): TfTensor {
  if (axes.length === 0) return x;
  if (x.dtype === "bfloat16" && op !== "Max") {
    const wide = reduce(op, tf.cast(x, "float32"), { axes, keepDims, tf });
    return tf.cast(wide, x.dtype);
  }
  const attrs = [
    boolAttr("keep_dims", keepDims),
    typeAttr("T", x.dtype),
    typeAttr("Tidx", "int32"),
  ];
  const shape = reducedShape(x.shape, axes, keepDims);
  return tf.call(op, [x, tf.ints(axes)], { attrs, dtype: x.dtype, shape });
}

function reducedShape(
  shape: readonly number[],
  axes: readonly number[],
  keepDims: boolean,
): readonly number[] {
  if (!keepDims) return shape.filter((_, axis) => !axes.includes(axis));
  return shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
}

/** From this many rows on the product with ones is faster. */
const ROWS_FOR_PRODUCT = 16;
/** Up to this many a single accumulator is as exact as a tree of them. */
const ROWS_AT_ONCE = 256;

/** Sum over the first axes as ones · x, added up in float32 whatever x is. */
function sumRows(x: TfTensor, axes: readonly number[], tf: TfOps): TfTensor | undefined {
  const leading = axes.length > 0 && axes.every((axis, i) => axis === i);
  const rows = elementCount(x.shape.slice(0, axes.length));
  const columns = elementCount(x.shape.slice(axes.length));
  if (!leading || !isFloat(x.dtype) || rows < ROWS_FOR_PRODUCT || columns < 2) return undefined;
  // One accumulator over tens of thousands of rows loses two digits: rows a block apart are added first, then the block's.
  const block = rows > ROWS_AT_ONCE && x.dtype === "float32" ? squarestDivisor(rows) : 1;
  const apart = product(
    tf.ones(rows / block, x.dtype),
    tf.reshape(x, [rows / block, block * columns]),
    { tf },
  );
  if (block === 1) return apart;
  return product(tf.ones(block, apart.dtype), tf.reshape(apart, [block, columns]), { tf });
}

/** The largest divisor that is not above the root. */
function squarestDivisor(size: number): number {
  let divisor = Math.floor(Math.sqrt(size));
  while (size % divisor !== 0) divisor -= 1;
  return divisor;
}

/** Mean of the rows of a matrix [rows, columns] → [1, columns]. */
export function meanOfRows(x: TfTensor, tf: TfOps): TfTensor {
  const shape = [1, x.shape[1] ?? 0];
  const total = sumRows(x, [0], tf) ?? reduce("Sum", x, { axes: [0], keepDims: true, tf });
  return tf.same("Mul", [total, tf.number(1 / (x.shape[0] ?? 1), x.dtype)], shape);
}

const sum: TfLowering<PrimitiveAttrs["sum"]> = (call, tf) => {
  const x = operand(call, 0);
  const rows = sumRows(x, call.attrs.axes, tf);
  if (rows) return tf.reshape(rows, resultOf(call).shape);
  return reduce("Sum", x, { ...call.attrs, tf });
};

const reduceMax: TfLowering<PrimitiveAttrs["reduceMax"]> = (call, tf) =>
  reduce("Max", operand(call, 0), { ...call.attrs, tf });

const argmax: TfLowering<PrimitiveAttrs["argmax"]> = (call, tf) => {
  const x = operand(call, 0);
  const attrs = [
    typeAttr("T", x.dtype),
    typeAttr("Tidx", "int32"),
    typeAttr("output_type", "int32"),
  ];
  const axis = tf.number(call.attrs.axis, "int32");
  return tf.call("ArgMax", [x, axis], { attrs, dtype: "int32", shape: resultOf(call).shape });
};

export const REDUCTION_LOWERINGS = { sum, reduceMax, argmax };
