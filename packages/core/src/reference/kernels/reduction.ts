/** Reductions: the reduced axes are brought to the end, then each row is folded. */
import type { PrimitiveAttrs } from "../../ops/primitive-table.js";
import { elementCount, rowMajorStrides } from "../../tensor/shape.js";
import type { Float64Tensor } from "../float64-tensor.js";
import type { Kernel } from "./kernel.js";
import { gatherStrided } from "./strided.js";

/** The rows to fold, one after another, each of `length` entries. */
function rowsOf(x: Float64Tensor, axes: readonly number[]): readonly [Float64Array, number] {
  const kept = x.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  const order = [...kept, ...axes];
  const strides = rowMajorStrides(x.shape);
  const length = elementCount(axes.map((axis) => x.shape[axis]!));
  if (order.every((axis, i) => axis === i)) return [x.data, length];
  const shape = order.map((axis) => x.shape[axis]!);
  return [
    gatherStrided(
      x.data,
      shape,
      order.map((axis) => strides[axis]!),
    ),
    length,
  ];
}

function fold(
  x: Float64Tensor,
  axes: readonly number[],
  size: number,
  ofRow: (data: Float64Array, begin: number, end: number) => number,
): Float64Array {
  const [data, length] = rowsOf(x, axes);
  const values = new Float64Array(size);
  for (let row = 0; row < size; row++) values[row] = ofRow(data, row * length, (row + 1) * length);
  return values;
}

/** Neumaier's compensated sum: the oracle must not add its own error to long rows. */
function sumFloats(data: Float64Array, begin: number, end: number): number {
  let total = 0;
  let lost = 0;
  for (let i = begin; i < end; i++) {
    const value = data[i]!;
    const next = total + value;
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
  }
  // With infinities `lost` is NaN although the total is right.
  return Number.isFinite(total) ? total + lost : total;
}

function sumInts(data: Float64Array, begin: number, end: number): number {
  let total = 0;
  for (let i = begin; i < end; i++) total = (total + data[i]!) | 0;
  return total;
}

/** Position of the largest entry, the first of ties; a NaN counts as the largest. */
function largestAt(data: Float64Array, begin: number, end: number): number {
  let at = begin;
  for (let i = begin; i < end; i++) {
    if (Number.isNaN(data[i]!)) return i;
    if (data[i]! > data[at]!) at = i;
  }
  return at;
}

export const reductionKernels = {
  sum: (([x], { axes }, { shape, dtype }) =>
    fold(x!, axes, elementCount(shape), dtype === "int32" ? sumInts : sumFloats)) satisfies Kernel<
    PrimitiveAttrs["sum"]
  >,
  reduceMax: (([x], { axes }, { shape, dtype }) => {
    const least = dtype === "int32" ? -(2 ** 31) : -Infinity;
    return fold(x!, axes, elementCount(shape), (data, begin, end) =>
      end > begin ? data[largestAt(data, begin, end)]! : least,
    );
  }) satisfies Kernel<PrimitiveAttrs["reduceMax"]>,
  argmax: (([x], { axis }, { shape }) =>
    fold(x!, [axis], elementCount(shape), (data, begin, end) => {
      return largestAt(data, begin, end) - begin;
    })) satisfies Kernel<PrimitiveAttrs["argmax"]>,
} as const;
