/** Primitives that move entries. Windows with symbolic bounds are checked here, where their numbers are known. */
import { ShapeError } from "../../errors.js";
import type { PrimitiveAttrs } from "../../ops/primitive-table.js";
import { evaluateDim, type Dim, type DimBinding } from "../../tensor/dim.js";
import { elementCount, rowMajorStrides } from "../../tensor/shape.js";
import type { Kernel } from "./kernel.js";
import { gatherStrided, stretched, stridedOffsets } from "./strided.js";

/** First offset of a window of `outer`. @throws ShapeError when the window reaches outside. */
function windowStart(
  op: string,
  outer: readonly number[],
  inner: readonly number[],
  begins: readonly number[],
): number {
  if (outer.some((size, axis) => begins[axis]! < 0 || begins[axis]! + inner[axis]! > size)) {
    throw new ShapeError(
      `core/${op}: window: expected a window inside [${outer.join(", ")}], got [${inner.join(", ")}] at [${begins.join(", ")}].`,
    );
  }
  const strides = rowMajorStrides(outer);
  return begins.reduce((offset, begin, axis) => offset + begin * strides[axis]!, 0);
}

function evaluateBegins(begins: readonly Dim[], binding: DimBinding): readonly number[] {
  return begins.map((begin) => evaluateDim(begin, binding));
}

export const layoutKernels = {
  reshape: (([x]) => x!.data) satisfies Kernel<PrimitiveAttrs["reshape"]>,
  transpose: (([x], { permutation }, { shape }) => {
    const strides = rowMajorStrides(x!.shape);
    return gatherStrided(
      x!.data,
      shape,
      permutation.map((axis) => strides[axis]!),
    );
  }) satisfies Kernel<PrimitiveAttrs["transpose"]>,
  broadcast: (([x], _, { shape }) => stretched(x!, shape)) satisfies Kernel<
    PrimitiveAttrs["broadcast"]
  >,
  slice: (([x], { begins }, { shape, binding }) => {
    const start = windowStart("slice", x!.shape, shape, evaluateBegins(begins, binding));
    return gatherStrided(x!.data, shape, rowMajorStrides(x!.shape), start);
  }) satisfies Kernel<PrimitiveAttrs["slice"]>,
  pad: (([x], { begins }, { shape, binding }) => {
    const start = windowStart("pad", shape, x!.shape, evaluateBegins(begins, binding));
    const values = new Float64Array(elementCount(shape));
    stridedOffsets(x!.shape, rowMajorStrides(shape), start).forEach((offset, i) => {
      values[offset] = x!.data[i]!;
    });
    return values;
  }) satisfies Kernel<PrimitiveAttrs["pad"]>,
  concat: ((operands, { axis }, { shape }) => {
    const values = new Float64Array(elementCount(shape));
    const rows = elementCount(shape.slice(0, axis));
    let at = 0;
    for (let row = 0; row < rows; row++) {
      for (const { data } of operands) {
        const length = data.length / rows;
        values.set(data.subarray(row * length, (row + 1) * length), at);
        at += length;
      }
    }
    return values;
  }) satisfies Kernel<PrimitiveAttrs["concat"]>,
} as const;
