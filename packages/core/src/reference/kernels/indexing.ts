/** Indexing primitives. An index outside its axis is an error, never wrapped or clamped. */
import { ShapeError } from "../../errors.js";
import type { PrimitiveAttrs } from "../../ops/primitive-table.js";
import { elementCount, rowMajorStrides } from "../../tensor/shape.js";
import type { Float64Tensor } from "../float64-tensor.js";
import type { Kernel } from "./kernel.js";
import { stridedOffsets } from "./strided.js";

function checkIndices(op: string, indices: Float64Tensor, x: Float64Tensor, axis: number): void {
  const limit = x.shape[axis]!;
  const bad = indices.data.find((index) => index < 0 || index >= limit);
  if (bad !== undefined) {
    throw new ShapeError(
      `core/${op}: indices: expected integers in [0, ${limit}), got ${bad} (axis ${axis} of [${x.shape.join(", ")}]).`,
    );
  }
}

/** Offsets in x of the entries that `indices` names, one for each of its own. */
function namedOffsets(
  op: string,
  x: Float64Tensor,
  indices: Float64Tensor,
  axis: number,
): Float64Array {
  checkIndices(op, indices, x, axis);
  const strides = rowMajorStrides(x.shape);
  const others = strides.map((stride, i) => (i === axis ? 0 : stride));
  const offsets = stridedOffsets(indices.shape, others);
  for (let i = 0; i < offsets.length; i++) offsets[i]! += indices.data[i]! * strides[axis]!;
  return offsets;
}

export const indexingKernels = {
  take: (([x, indices], { axis }, { shape }) => {
    checkIndices("take", indices!, x!, axis);
    const block = elementCount(x!.shape.slice(axis + 1));
    const outer = elementCount(x!.shape.slice(0, axis));
    const values = new Float64Array(elementCount(shape));
    let at = 0;
    for (let row = 0; row < outer; row++) {
      for (const index of indices!.data) {
        const begin = (row * x!.shape[axis]! + index) * block;
        values.set(x!.data.subarray(begin, begin + block), at);
        at += block;
      }
    }
    return values;
  }) satisfies Kernel<PrimitiveAttrs["take"]>,
  takeAlong: (([x, indices], { axis }) =>
    namedOffsets("takeAlong", x!, indices!, axis).map(
      (offset) => x!.data[offset]!,
    )) satisfies Kernel<PrimitiveAttrs["takeAlong"]>,
  scatterAdd: (([x, indices, updates], { axis }, { dtype }) => {
    const values = x!.data.slice();
    namedOffsets("scatterAdd", x!, indices!, axis).forEach((offset, i) => {
      const total = values[offset]! + updates!.data[i]!;
      values[offset] = dtype === "int32" ? total | 0 : dtype === "bool" ? Number(total > 0) : total;
    });
    return values;
  }) satisfies Kernel<PrimitiveAttrs["scatterAdd"]>,
} as const;
