/** Contractions as plain loops: matrix product, and one walk over a convolution's taps for its three faces. */
import type { ConvAttrs, PrimitiveAttrs } from "../../ops/primitive-table.js";
import { TO_NCHW, TO_NHWC, toNchw } from "../../ops/primitives/image-axes.js";
import { elementCount, rowMajorStrides } from "../../tensor/shape.js";
import type { Float64Tensor } from "../float64-tensor.js";
import type { Kernel } from "./kernel.js";
import { broadcastStrides, gatherStrided, stridedOffsets } from "./strided.js";

/** The matrices of `tensor` with rows first, whatever its flag says. */
function matrices(tensor: Float64Tensor, transposed: boolean): Float64Array {
  if (!transposed) return tensor.data;
  const strides = rowMajorStrides(tensor.shape);
  const swap = <T>(list: readonly T[]): T[] => [...list.slice(0, -2), list.at(-1)!, list.at(-2)!];
  return gatherStrided(tensor.data, swap(tensor.shape), swap(strides));
}

/** Where each product of the batch finds its matrix. */
function batchOffsets(tensor: Float64Tensor, batch: readonly number[]): Float64Array {
  const own = tensor.shape.slice(0, -2);
  const size = elementCount(tensor.shape.slice(-2));
  return stridedOffsets(batch, broadcastStrides(own, batch)).map((offset) => offset * size);
}

const matmulKernel: Kernel<PrimitiveAttrs["matmul"]> = ([a, b], attrs, { shape }) => {
  const [m, n] = [shape.at(-2)!, shape.at(-1)!];
  const k = a!.shape.at(attrs.transposeA ? -2 : -1)!;
  const left = matrices(a!, attrs.transposeA);
  const right = matrices(b!, attrs.transposeB);
  const batch = shape.slice(0, -2);
  const leftAt = batchOffsets(a!, batch);
  const rightAt = batchOffsets(b!, batch);
  const values = new Float64Array(elementCount(shape));
  for (let p = 0; p < leftAt.length; p++) {
    for (let row = 0; row < m; row++) {
      const out = (p * m + row) * n;
      for (let inner = 0; inner < k; inner++) {
        const factor = left[leftAt[p]! + row * k + inner]!;
        const from = rightAt[p]! + inner * n;
        for (let column = 0; column < n; column++)
          values[out + column]! += factor * right[from + column]!;
      }
    }
  }
  return values;
};

/** Sizes of a convolution: x [N, C, H, W], filter [O, C/groups, kh, kw], y [N, O, h, w]. */
interface ConvSizes extends ConvAttrs {
  readonly x: readonly number[];
  readonly filter: readonly number[];
  readonly y: readonly number[];
}

/** `count` taps: filter[filterAt] joins x[xAt + i·xStep] with y[yAt + i]. */
interface TapRow {
  readonly xAt: number;
  readonly xStep: number;
  readonly filterAt: number;
  readonly yAt: number;
  readonly count: number;
}

/** Output positions along one axis whose tap at `tap` lies inside the picture. */
function insideRange(
  size: number,
  outputs: number,
  stride: number,
  shift: number,
): readonly [number, number] {
  const first = Math.max(0, Math.ceil(-shift / stride));
  const last = Math.min(outputs - 1, Math.floor((size - 1 - shift) / stride));
  return [first, last];
}

/** Visits every tap once, a row of outputs at a time. */
function forEachTapRow(sizes: ConvSizes, visit: (row: TapRow) => void): void {
  const { strides, padding, groups } = sizes;
  const [, channels, height, width] = sizes.x as [number, number, number, number];
  const [outputs, inputs, kernelHeight, kernelWidth] = sizes.filter as [
    number,
    number,
    number,
    number,
  ];
  const [batch, , rows, columns] = sizes.y as [number, number, number, number];
  const perGroup = outputs / groups;
  const planes = batch * outputs * inputs;
  for (let plane = 0; plane < planes; plane++) {
    const c = plane % inputs;
    const o = Math.floor(plane / inputs) % outputs;
    const sample = Math.floor(plane / inputs / outputs);
    const xPlane = (sample * channels + Math.floor(o / perGroup) * inputs + c) * height * width;
    const yPlane = (sample * outputs + o) * rows * columns;
    for (let ky = 0; ky < kernelHeight; ky++) {
      const top = ky - padding[0];
      const [firstRow, lastRow] = insideRange(height, rows, strides[0], top);
      for (let kx = 0; kx < kernelWidth; kx++) {
        const left = kx - padding[1];
        const [first, last] = insideRange(width, columns, strides[1], left);
        const filterAt = ((o * inputs + c) * kernelHeight + ky) * kernelWidth + kx;
        for (let row = firstRow; row <= lastRow; row++) {
          visit({
            xAt: xPlane + (row * strides[0] + top) * width + first * strides[1] + left,
            xStep: strides[1],
            filterAt,
            yAt: yPlane + row * columns + first,
            count: last - first + 1,
          });
        }
      }
    }
  }
}

/** A picture's axes in another order. */
function reorder(tensor: Float64Tensor, permutation: readonly number[]): Float64Tensor {
  const strides = rowMajorStrides(tensor.shape);
  const shape = permutation.map((axis) => tensor.shape[axis]!);
  const data = gatherStrided(
    tensor.data,
    shape,
    permutation.map((axis) => strides[axis]!),
  );
  return { ...tensor, shape, data };
}

/** The kernel for both layouts from the one for NCHW; `pictures` are the operands that the layout orders. */
function inLayout<A extends ConvAttrs>(
  kernel: Kernel<A>,
  pictures: readonly number[],
  ordersResult: boolean,
): Kernel<A> {
  return (operands, attrs, context) => {
    if (attrs.layout === undefined) return kernel(operands, attrs, context);
    const planar = operands.map((operand, i) =>
      pictures.includes(i) ? reorder(operand, TO_NCHW) : operand,
    );
    if (!ordersResult) return kernel(planar, attrs, context);
    const shape = toNchw(context.shape);
    const data = kernel(planar, attrs, { ...context, shape });
    return reorder({ shape, dtype: context.dtype, data }, TO_NHWC).data;
  };
}

const conv2dKernel: Kernel<PrimitiveAttrs["conv2d"]> = ([x, filter], attrs, { shape }) => {
  const y = new Float64Array(elementCount(shape));
  forEachTapRow({ ...attrs, x: x!.shape, filter: filter!.shape, y: shape }, (row) => {
    const weight = filter!.data[row.filterAt]!;
    for (let i = 0; i < row.count; i++)
      y[row.yAt + i]! += weight * x!.data[row.xAt + i * row.xStep]!;
  });
  return y;
};

const inputGradientKernel: Kernel<PrimitiveAttrs["conv2dInputGradient"]> = (
  [dy, filter],
  attrs,
  { shape },
) => {
  const dx = new Float64Array(elementCount(shape));
  forEachTapRow({ ...attrs, x: shape, filter: filter!.shape, y: dy!.shape }, (row) => {
    const weight = filter!.data[row.filterAt]!;
    for (let i = 0; i < row.count; i++)
      dx[row.xAt + i * row.xStep]! += weight * dy!.data[row.yAt + i]!;
  });
  return dx;
};

const filterGradientKernel: Kernel<PrimitiveAttrs["conv2dFilterGradient"]> = (
  [x, dy],
  attrs,
  { shape },
) => {
  const dFilter = new Float64Array(elementCount(shape));
  forEachTapRow({ ...attrs, x: x!.shape, filter: shape, y: dy!.shape }, (row) => {
    let total = 0;
    for (let i = 0; i < row.count; i++)
      total += x!.data[row.xAt + i * row.xStep]! * dy!.data[row.yAt + i]!;
    dFilter[row.filterAt]! += total;
  });
  return dFilter;
};

export const contractionKernels = {
  matmul: matmulKernel,
  conv2d: inLayout(conv2dKernel, [0], true),
  conv2dInputGradient: inLayout(inputGradientKernel, [0], true),
  conv2dFilterGradient: inLayout(filterGradientKernel, [0, 1], false),
} as const;
