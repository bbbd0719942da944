/** Lowerings of a convolution and of the gradient of its input. */
import { staticShape, type Shape } from "@diptych/core";
import type { ConvAttrs, PrimitiveAttrs } from "@diptych/core/backend";
import { blockedConvolution, isBlocked, type ConvolutionProblem } from "./blocked-convolution.js";
import { padTo, reshapeTo, transposeTo, windowOf } from "./layout.js";
import {
  operand,
  resultType,
  type Lowering,
  type PrimitiveLowerings,
  type LoweringContext,
} from "./lowering.js";
import { multiply } from "./matmul.js";
import type { Name } from "./onnx-builder.js";
import { isPatchify, patchRows, pictureFromRows, rowsFromPicture, unpatchRows } from "./patches.js";

/** Sizes of a filter [O, C/groups, kh, kw]; they are always numbers. */
export interface FilterSizes {
  readonly outChannels: number;
  readonly groupChannels: number;
  readonly kernel: readonly [number, number];
}

export function filterSizes(shape: Shape): FilterSizes {
  const [outChannels = 1, groupChannels = 1, height = 1, width = 1] = staticShape(
    shape,
    "backend-onnx/conv2d",
  );
  return { outChannels, groupChannels, kernel: [height, width] };
}

/** Height and width of a picture [N, C, H, W]. */
export function pictureSize(shape: Shape): readonly [number, number] {
  const [height = 1, width = 1] = staticShape(shape.slice(2), "backend-onnx/conv2d");
  return [height, width];
}

/** A convolution on the fastest kernel that takes it. */
function convolve(problem: ConvolutionProblem, context: LoweringContext): Name {
  if (isBlocked(problem, context)) return blockedConvolution(problem, context);
  const { x, filter, strides, padding, groups } = problem;
  return context.onnx.node("Conv", [x.name, filter.name], {
    kernel_shape: filter.shape.slice(2),
    strides,
    pads: padding,
    group: groups,
  });
}

const conv2d: Lowering<PrimitiveAttrs["conv2d"]> = (node, context) => {
  const [x, filter] = [operand(node, 0), operand(node, 1)];
  const { outChannels, groupChannels, kernel } = filterSizes(filter.shape);
  const { strides, padding, groups } = node.attrs;
  if (!isPatchify(node.attrs, kernel)) {
    const shape = [outChannels, groupChannels, ...kernel] as const;
    return convolve({ x, filter: { name: filter.name, shape }, strides, padding, groups }, context);
  }
  const columns = groupChannels * kernel[0] * kernel[1];
  const rows = patchRows(x.name, x.shape, kernel, context);
  const matrix = reshapeTo(filter.name, filter.shape, [outChannels, columns], context);
  const product = multiply(
    { ...rows, transposed: false },
    { name: matrix, shape: [outChannels, columns], transposed: true },
    context,
  );
  return pictureFromRows(product, resultType(node).shape, context);
};

/** The filter of the transposed convolution: [C, O/groups, kh, kw], turned by 180°. */
function turnedFilter(filter: Name, shape: Shape, groups: number, context: LoweringContext): Name {
  const { outChannels, groupChannels, kernel } = filterSizes(shape);
  const { onnx } = context;
  const split = [groups, outChannels / groups, groupChannels, ...kernel];
  const joined = [groups * groupChannels, outChannels / groups, ...kernel];
  const swapped = [split[0], split[2], split[1], ...kernel].filter((size) => size !== undefined);
  const apart = reshapeTo(filter, shape, split, context);
  const turned = transposeTo(apart, [0, 2, 1, 3, 4], context);
  const whole = reshapeTo(turned, swapped, joined, context);
  const axes = [2, 3].filter((axis) => (joined[axis] ?? 1) > 1);
  if (axes.length === 0) return whole;
  const all = (value: number): Name => onnx.ints(axes.map(() => value));
  // From the last entry down to before the first.
  return onnx.node("Slice", [
    whole,
    all(-1),
    all(Number.MIN_SAFE_INTEGER),
    onnx.ints(axes),
    all(-1),
  ]);
}

/** Padding of the transposed convolution, where it is not negative. */
function fullPadding(
  [top, left, bottom, right]: ConvAttrs["padding"],
  [height, width]: readonly [number, number],
): readonly number[] | undefined {
  const pads = [height - 1 - top, width - 1 - left, height - 1 - bottom, width - 1 - right];
  return pads.every((pad) => pad >= 0) ? pads : undefined;
}

/** ConvTranspose; what the stride left over at the bottom and at the right is added as output padding. */
function convTranspose(
  [dy, filter]: readonly [Name, Name],
  attrs: PrimitiveAttrs["conv2dInputGradient"],
  { kernel, dySize }: { kernel: readonly [number, number]; dySize: readonly [number, number] },
  { onnx }: LoweringContext,
): Name {
  const { strides, padding, groups, inputShape } = attrs;
  const [height, width] = pictureSize(inputShape);
  const [top, left, bottom, right] = padding;
  const rest = [
    height - ((dySize[0] - 1) * strides[0] + kernel[0] - top - bottom),
    width - ((dySize[1] - 1) * strides[1] + kernel[1] - left - right),
  ];
  return onnx.node("ConvTranspose", [dy, filter], {
    kernel_shape: kernel,
    strides,
    pads: padding,
    output_padding: rest,
    group: groups,
  });
}

/** dy with the stride's zeros between its entries, and below and right of them what the stride left over. */
function spreadPicture(
  dy: { readonly name: Name; readonly shape: Shape },
  { strides, padding, inputShape }: PrimitiveAttrs["conv2dInputGradient"],
  { kernel, context }: { kernel: readonly [number, number]; context: LoweringContext },
): { readonly name: Name; readonly shape: Shape } {
  const [batch = 1, channels = 1] = dy.shape;
  const [height, width] = pictureSize(dy.shape);
  const [inputHeight, inputWidth] = pictureSize(inputShape);
  const [top, left, bottom, right] = padding;
  const zero = context.onnx.scalar(context.float, 0);
  const apart = [batch, channels, height, 1, width, 1];
  const wide = [batch, channels, height, strides[0], width, strides[1]];
  const joined = [batch, channels, height * strides[0], width * strides[1]];
  const shape = [
    batch,
    channels,
    inputHeight + top + bottom - kernel[0] + 1,
    inputWidth + left + right - kernel[1] + 1,
  ];
  const split = reshapeTo(dy.name, dy.shape, apart, context);
  const none = { begins: [0, 0, 0, 0, 0, 0], zero };
  const padded = padTo(split, { ...none, from: apart, shape: wide }, context);
  const flat = reshapeTo(padded, wide, joined, context);
  // The last entry's zeros are cut off, or there are too few of them.
  const begins = [0, 0, 0, 0];
  const least = shape.map((dim, axis) => (axis < 2 ? dim : Math.max(+dim, +(joined[axis] ?? 1))));
  const grown = padTo(flat, { from: joined, begins, shape: least, zero }, context);
  return { name: windowOf(grown, { from: least, begins, shape }, context), shape };
}

const conv2dInputGradient: Lowering<PrimitiveAttrs["conv2dInputGradient"]> = (node, context) => {
  const [dy, filter] = [operand(node, 0), operand(node, 1)];
  const { strides, padding, groups, inputShape } = node.attrs;
  const { outChannels, groupChannels, kernel } = filterSizes(filter.shape);
  if (isPatchify(node.attrs, kernel)) {
    const columns = groupChannels * kernel[0] * kernel[1];
    const rows = rowsFromPicture(dy.name, dy.shape, context);
    const matrix = reshapeTo(filter.name, filter.shape, [outChannels, columns], context);
    const product = multiply(
      { ...rows, transposed: false },
      { name: matrix, shape: [outChannels, columns], transposed: false },
      context,
    );
    return unpatchRows(product, inputShape, kernel, context);
  }
  const pads = fullPadding(padding, kernel);
  // Conv is faster than ConvTranspose, but has no stride between the entries of its input.
  if (strides[0] === 1 && strides[1] === 1 && pads) {
    const turned = turnedFilter(filter.name, filter.shape, groups, context);
    const shape = [groupChannels * groups, outChannels / groups, ...kernel] as const;
    const problem = { x: dy, filter: { name: turned, shape }, strides, padding: pads, groups };
    return convolve(problem, context);
  }
  const sizes = { kernel, dySize: pictureSize(dy.shape) };
  if (groups > 1 && pads && !context.onnx.target.groupedConvTranspose) {
    const spread = spreadPicture(dy, node.attrs, { kernel, context });
    const turned = turnedFilter(filter.name, filter.shape, groups, context);
    const shape = [groupChannels * groups, outChannels / groups, ...kernel] as const;
    const problem = { x: spread, filter: { name: turned, shape }, padding: pads, groups };
    return convolve({ ...problem, strides: [1, 1] }, context);
  }
  return convTranspose([dy.name, filter.name], node.attrs, sizes, context);
};

export const CONVOLUTION_LOWERINGS: Pick<PrimitiveLowerings, "conv2d" | "conv2dInputGradient"> = {
  conv2d,
  conv2dInputGradient,
};
