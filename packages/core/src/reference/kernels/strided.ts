/** Reading entries in another order: the one loop behind broadcast, transpose and slice. */
import { elementCount, rowMajorStrides } from "../../tensor/shape.js";
import type { Float64Tensor } from "../float64-tensor.js";

/** Offsets `start + Σ index·stride` of all indices of `shape` in row-major order. */
export function stridedOffsets(
  shape: readonly number[],
  strides: readonly number[],
  start = 0,
): Float64Array {
  const offsets = new Float64Array(elementCount(shape));
  if (offsets.length === 0) return offsets;
  offsets[0] = start;
  let filled = 1;
  // Each axis, from the last to the first, repeats what is there, shifted.
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const block = filled;
    for (let i = 1; i < shape[axis]!; i++) {
      const shift = i * strides[axis]!;
      for (let j = 0; j < block; j++) offsets[filled++] = offsets[j]! + shift;
    }
  }
  return offsets;
}

/** The entries of `data` at {@link stridedOffsets}. */
export function gatherStrided(
  data: Float64Array,
  shape: readonly number[],
  strides: readonly number[],
  start = 0,
): Float64Array {
  const values = stridedOffsets(shape, strides, start);
  for (let i = 0; i < values.length; i++) values[i] = data[values[i]!]!;
  return values;
}

/** Strides that read `from` as `to`, 0 along stretched and missing axes. */
export function broadcastStrides(from: readonly number[], to: readonly number[]): number[] {
  const strides = rowMajorStrides(from);
  const missing = to.length - from.length;
  return to.map((_, axis) =>
    axis < missing || from[axis - missing] === 1 ? 0 : strides[axis - missing]!,
  );
}

/** The values of `tensor` stretched to `shape`; its own memory when the size is the same. */
export function stretched(tensor: Float64Tensor, shape: readonly number[]): Float64Array {
  const size = elementCount(shape);
  if (tensor.data.length === size) return tensor.data;
  if (tensor.data.length === 1) return new Float64Array(size).fill(tensor.data[0]!);
  return gatherStrided(tensor.data, shape, broadcastStrides(tensor.shape, shape));
}
