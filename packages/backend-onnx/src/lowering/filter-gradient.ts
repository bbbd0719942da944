/**
 * Lowering of the gradient of a convolution's filter: for each position (tap) of the filter, the product of dy with the
 * part of x that the tap saw. ONNX has no operator for it, and Conv with swapped axes is five times slower.
 */
import type { Dim, Shape } from "@diptych/core";
import type { PrimitiveAttrs } from "@diptych/core/backend";
import { filterSizes, pictureSize } from "./convolution.js";
import { padTo, reshapeTo, windowOf } from "./layout.js";
import { operand, type LoweredNode, type Lowering, type LoweringContext } from "./lowering.js";
import { multiply } from "./matmul.js";
import type { Name } from "./onnx-builder.js";
import { isPatchify, patchRows, rowsFromPicture } from "./patches.js";
import { reduce } from "./reduction.js";

type Gradient = LoweredNode<PrimitiveAttrs["conv2dFilterGradient"]>;

interface Taps {
  /** [N, O, length] */
  readonly dy: Name;
  /** [N, C, length] each, row by row of the filter. */
  readonly windows: readonly Name[];
  readonly length: number;
}

interface Padded {
  readonly name: Name;
  readonly shape: Shape;
}

function padPicture(
  x: Padded,
  [top, left, bottom, right]: readonly number[],
  context: LoweringContext,
): Padded {
  const [batch = 1, channels = 1] = x.shape;
  const [height, width] = pictureSize(x.shape);
  const shape = [
    batch,
    channels,
    height + (top ?? 0) + (bottom ?? 0),
    width + (left ?? 0) + (right ?? 0),
  ];
  const begins = [0, 0, top ?? 0, left ?? 0];
  const zero = context.onnx.scalar("float32", 0);
  return { name: padTo(x.name, { from: x.shape, begins, shape, zero }, context), shape };
}

function flattenPicture(x: Padded, context: LoweringContext): Padded {
  const [height, width] = pictureSize(x.shape);
  const shape = [...x.shape.slice(0, 2), height * width];
  return { name: reshapeTo(x.name, x.shape, shape, context), shape };
}

/**
 * Stride 1: with dy's rows filled up with zeros to the width of the padded x, what a tap sees is one run of the flat
 * picture; what it sees beyond its row's end meets a zero.
 */
function flatShiftTaps(node: Gradient, context: LoweringContext): Taps {
  const [x, dy] = [operand(node, 0), operand(node, 1)];
  const { padding, filterShape } = node.attrs;
  const [kernelHeight, kernelWidth] = filterSizes(filterShape).kernel;
  // The last tap runs past the end by the width of the kernel: one more row.
  const [top, left, bottom, right] = padding;
  const padded = padPicture(x, [top, left, bottom + (kernelWidth > 1 ? 1 : 0), right], context);
  const [, width] = pictureSize(padded.shape);
  const flat = flattenPicture(padded, context);
  const wideDy = flattenPicture(padPicture(dy, [0, 0, 0, kernelWidth - 1], context), context);
  const length = pictureSize(dy.shape)[0] * width;
  const windows = tapPositions(kernelHeight, kernelWidth).map(([row, column]) =>
    windowOf(
      flat.name,
      {
        from: flat.shape,
        begins: [0, 0, row * width + column],
        shape: [...flat.shape.slice(0, 2), length],
      },
      context,
    ),
  );
  return { dy: wideDy.name, windows, length };
}

/** Any stride: each tap's window is a slice with steps, written out. */
function stridedTaps(node: Gradient, context: LoweringContext): Taps {
  const [x, dy] = [operand(node, 0), operand(node, 1)];
  const { padding, strides, filterShape } = node.attrs;
  const { onnx } = context;
  const padded = padPicture(x, padding, context);
  const [height, width] = pictureSize(dy.shape);
  const picture = [...padded.shape.slice(0, 2), height, width];
  const windows = tapPositions(...filterSizes(filterShape).kernel).map(([row, column]) => {
    const ends = [row + (height - 1) * strides[0] + 1, column + (width - 1) * strides[1] + 1];
    const operands = [onnx.ints([row, column]), onnx.ints(ends), onnx.ints([2, 3])];
    const window = onnx.node("Slice", [padded.name, ...operands, onnx.ints(strides)]);
    return flattenPicture({ name: window, shape: picture }, context).name;
  });
  return { dy: flattenPicture(dy, context).name, windows, length: height * width };
}

function tapPositions(height: number, width: number): readonly (readonly [number, number])[] {
  return Array.from(
    { length: height * width },
    (_, i) => [Math.floor(i / width), i % width] as const,
  );
}

/** dy·windowᵀ per sample and group, added up over the samples: [groups, O/groups, C/groups]. */
function tapProduct(
  { dy, length }: Taps,
  window: Name,
  {
    batch,
    groups,
    outChannels,
    groupChannels,
  }: { batch: Dim; groups: number; outChannels: number; groupChannels: number },
  context: LoweringContext,
): Name {
  const split = (name: Name, channels: number): { name: Name; shape: Shape } => {
    const from = [batch, channels * groups, length];
    const shape = groups === 1 ? from : [batch, groups, channels, length];
    return { name: reshapeTo(name, from, shape, context), shape };
  };
  const product = multiply(
    { ...split(dy, outChannels / groups), transposed: false },
    { ...split(window, groupChannels), transposed: true },
    context,
  );
  return reduce("ReduceSum", product, { axes: [0], keepDims: false }, context);
}

const conv2dFilterGradient: Lowering<PrimitiveAttrs["conv2dFilterGradient"]> = (node, context) => {
  const [x, dy] = [operand(node, 0), operand(node, 1)];
  const { filterShape, groups, strides } = node.attrs;
  const sizes = filterSizes(filterShape);
  const { outChannels, groupChannels, kernel } = sizes;
  if (isPatchify(node.attrs, kernel)) {
    const product = multiply(
      { ...rowsFromPicture(dy.name, dy.shape, context), transposed: true },
      { ...patchRows(x.name, x.shape, kernel, context), transposed: false },
      context,
    );
    const matrix = [outChannels, groupChannels * kernel[0] * kernel[1]];
    return reshapeTo(product, matrix, filterShape, context);
  }
  const unit = strides[0] === 1 && strides[1] === 1;
  const taps = unit ? flatShiftTaps(node, context) : stridedTaps(node, context);
  const shape = { batch: x.shape[0] ?? 1, groups, outChannels, groupChannels };
  const tapShape =
    groups === 1 ? [outChannels, groupChannels] : [groups, outChannels / groups, groupChannels];
  const columns = taps.windows.map((window) =>
    reshapeTo(
      tapProduct(taps, window, shape, context),
      tapShape,
      [outChannels, groupChannels, 1],
      context,
    ),
  );
  const [only] = columns;
  const joined =
    columns.length === 1 && only !== undefined
      ? only
      : context.onnx.node("Concat", columns, { axis: 2 });
  return reshapeTo(joined, [outChannels, groupChannels, columns.length], filterShape, context);
};

export const FILTER_GRADIENT_LOWERINGS = { conv2dFilterGradient };
