/** Contractions: matrix product and the three faces of a 2-D convolution. */
import { DtypeError, ShapeError } from "../../errors.js";
import { buildValue } from "../../graph/builder.js";
import { rankOf, shapeOf, type Value, type ValueType } from "../../graph/node.js";
import type { PrimitiveDef } from "../../graph/op-def.js";
import { broadcastShapes } from "../../tensor/broadcast.js";
import { isFloat } from "../../tensor/dtype.js";
import { equalDims, formatDim, type Dim } from "../../tensor/dim.js";
import { createShape, equalShapes, formatShape, type Shape } from "../../tensor/shape.js";
import type { ConvAttrs, PrimitiveAttrs } from "../primitive-table.js";
import { typePair } from "./arity.js";
import { toNchw, toNhwc, type ImageLayout } from "./image-axes.js";
import { reshape } from "./layout.js";

function floatPair(op: string, types: readonly ValueType[]): readonly [ValueType, ValueType] {
  const [a, b] = typePair(op, types);
  if (a.dtype !== b.dtype || !isFloat(a.dtype)) {
    throw new DtypeError(
      `core/${op}: dtype: expected two operands of one float dtype, got ${types.map((t) => t.dtype).join(" and ")}.`,
    );
  }
  return [a, b];
}

function matrixDims(shape: Shape, transposed: boolean): readonly [Dim, Dim] {
  const rows = shape.at(-2) ?? 1;
  const columns = shape.at(-1) ?? 1;
  return transposed ? [columns, rows] : [rows, columns];
}

export const matmulDef: PrimitiveDef<PrimitiveAttrs["matmul"]> = {
  kind: "primitive",
  name: "matmul",
  infer: (types, { transposeA, transposeB }) => {
    const [a, b] = floatPair("matmul", types);
    const [m, k] = matrixDims(a.shape, transposeA);
    const [inner, n] = matrixDims(b.shape, transposeB);
    if (a.shape.length < 2 || b.shape.length < 2 || !equalDims(k, inner)) {
      throw new ShapeError(
        `core/matmul: operands: expected [..., m, k] and [..., k, n], got ${formatShape(a.shape)}${transposeA ? " transposed" : ""} and ${formatShape(b.shape)}${transposeB ? " transposed" : ""} (${formatDim(k)} against ${formatDim(inner)}).`,
      );
    }
    const batch = broadcastShapes("core/matmul", a.shape.slice(0, -2), b.shape.slice(0, -2));
    return [{ shape: createShape([...batch, m, n]), dtype: a.dtype }];
  },
};

/** Output size of a convolution along one axis. @throws ShapeError when the window is larger than the padded picture. */
function convOutputSize(size: number, kernel: number, stride: number, padding: number): number {
  if (size + padding < kernel) {
    throw new ShapeError(
      `core/conv2d: input: expected at least the kernel's ${kernel} pixels, got ${size} with ${padding} of padding.`,
    );
  }
  return Math.floor((size + padding - kernel) / stride) + 1;
}

function imageSize(dim: Dim | undefined, what: string): number {
  if (typeof dim === "number") return dim;
  throw new ShapeError(
    `${what}: image size: expected integers, got ${dim === undefined ? "no axis" : formatDim(dim)}.`,
  );
}

/** Shape of conv2d's output, in the layout of the attributes. */
export function convShape(x: Shape, filter: Shape, attrs: ConvAttrs): Shape {
  if (attrs.layout === undefined) return planarShape(x, filter, attrs);
  return createShape(toNhwc(planarShape(toNchw(x), filter, attrs)));
}

function planarShape(x: Shape, filter: Shape, { strides, padding, groups }: ConvAttrs): Shape {
  const [batch, channels, height, width] = x;
  const [outChannels, inChannels, kernelHeight, kernelWidth] = filter;
  const fits =
    x.length === 4 &&
    filter.length === 4 &&
    equalDims(channels ?? 0, imageSize(inChannels, "core/conv2d") * groups) &&
    imageSize(outChannels, "core/conv2d") % groups === 0;
  if (!fits) {
    throw new ShapeError(
      `core/conv2d: operands: expected x [N, C, H, W] and filter [O, C/groups, kh, kw], got ${formatShape(x)} and ${formatShape(filter)} with groups ${groups}.`,
    );
  }
  const [top, left, bottom, right] = padding;
  const size = (dim: Dim | undefined): number => imageSize(dim, "core/conv2d");
  return createShape([
    batch ?? 1,
    outChannels ?? 1,
    convOutputSize(size(height), size(kernelHeight), strides[0], top + bottom),
    convOutputSize(size(width), size(kernelWidth), strides[1], left + right),
  ]);
}

export const conv2dDef: PrimitiveDef<PrimitiveAttrs["conv2d"]> = {
  kind: "primitive",
  name: "conv2d",
  infer: (types, attrs) => {
    const [x, filter] = floatPair("conv2d", types);
    return [{ shape: convShape(x.shape, filter.shape, attrs), dtype: x.dtype }];
  },
};

function checkGradientShape(op: string, dy: Shape, expected: Shape): void {
  if (equalShapes(dy, expected)) return;
  throw new ShapeError(
    `core/${op}: cotangent: expected ${formatShape(expected)} as conv2d gives, got ${formatShape(dy)}.`,
  );
}

export const conv2dInputGradientDef: PrimitiveDef<PrimitiveAttrs["conv2dInputGradient"]> = {
  kind: "primitive",
  name: "conv2dInputGradient",
  infer: (types, attrs) => {
    const [dy, filter] = floatPair("conv2dInputGradient", types);
    checkGradientShape(
      "conv2dInputGradient",
      dy.shape,
      convShape(attrs.inputShape, filter.shape, attrs),
    );
    return [{ shape: attrs.inputShape, dtype: dy.dtype }];
  },
};

export const conv2dFilterGradientDef: PrimitiveDef<PrimitiveAttrs["conv2dFilterGradient"]> = {
  kind: "primitive",
  name: "conv2dFilterGradient",
  infer: (types, attrs) => {
    const [x, dy] = floatPair("conv2dFilterGradient", types);
    checkGradientShape(
      "conv2dFilterGradient",
      dy.shape,
      convShape(x.shape, attrs.filterShape, attrs),
    );
    return [{ shape: attrs.filterShape, dtype: x.dtype }];
  },
};

export interface MatmulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/**
 * [..., m, k] × [..., k, n] → [..., m, n]. Batch axes broadcast. A plain matrix on the right is applied to the
 * flattened rows of the left, so that its gradient is one product and not one per batch entry.
 */
export function matmul(
  a: Value,
  b: Value,
  { transposeA = false, transposeB = false }: MatmulOptions = {},
): Value {
  const shape = shapeOf(a);
  if (rankOf(a) > 2 && rankOf(b) === 2 && !transposeA) {
    const rows = reshape(a, [-1, shape.at(-1) ?? 1]);
    const product = buildValue(matmulDef, [rows, b], { transposeA, transposeB });
    return reshape(product, [...shape.slice(0, -1), shapeOf(product).at(-1) ?? 1]);
  }
  return buildValue(matmulDef, [a, b], { transposeA, transposeB });
}

export interface ConvOptions extends ImageLayout {
  readonly strides?: readonly [number, number];
  readonly padding?: readonly [number, number, number, number];
  readonly groups?: number;
}

export function convAttrs({
  strides = [1, 1],
  padding = [0, 0, 0, 0],
  groups = 1,
  layout,
}: ConvOptions = {}): ConvAttrs {
  const whole = [...strides, groups].every((n) => Number.isInteger(n) && n >= 1);
  if (!whole || !padding.every((n) => Number.isInteger(n) && n >= 0)) {
    throw new ShapeError(
      `core/conv2d: attributes: expected strides and groups of at least 1 and padding of at least 0, got strides [${strides.join(", ")}], groups ${groups}, padding [${padding.join(", ")}].`,
    );
  }
  return Object.freeze({ strides, padding, groups, ...(layout ? { layout } : {}) });
}

/** Cross-correlation of x [N, C, H, W] with filter [O, C/groups, kh, kw], as PyTorch's conv2d without bias. */
export function conv2d(x: Value, filter: Value, options?: ConvOptions): Value {
  return buildValue(conv2dDef, [x, filter], convAttrs(options));
}

/** Cotangent of conv2d's input, of shape `inputShape`. */
export function conv2dInputGradient(
  dy: Value,
  filter: Value,
  inputShape: Shape,
  attrs: ConvAttrs,
): Value {
  return buildValue(conv2dInputGradientDef, [dy, filter], { ...convAttrs(attrs), inputShape });
}

/** Cotangent of conv2d's filter, of shape `filterShape`. */
export function conv2dFilterGradient(
  x: Value,
  dy: Value,
  filterShape: Shape,
  attrs: ConvAttrs,
): Value {
  return buildValue(conv2dFilterGradientDef, [x, dy], { ...convAttrs(attrs), filterShape });
}
