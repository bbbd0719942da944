/**
 * Lowering of the gradient of a convolution's filter: for each position (tap) of the filter, the product of dy with the
 * part of x that the tap saw. ONNX has no operator for it, and Conv with swapped axes is five times slower.
 */
import { mulDims, type Dim, type Shape } from "@diptych/core";
import type { PrimitiveAttrs } from "@diptych/core/backend";
import { filterSizes, pictureSize, type FilterSizes } from "./convolution.js";
import { hasShifts, shiftedProduct } from "./filter-shifts.js";
import { flatShiftTaps, slicedTaps, type Picture, type TapGeometry } from "./filter-taps.js";
import { reshapeTo, transposeTo } from "./layout.js";
import {
  operand,
  type LoweredNode,
  type Lowering,
  type PrimitiveLowerings,
  type LoweringContext,
} from "./lowering.js";
import { multiply } from "./matmul.js";
import type { Name } from "./onnx-builder.js";
import { isPatchify, patchRows, rowsFromPicture } from "./patches.js";
import { reduce } from "./reduction.js";

/** Up to this many channels all taps go into one product: one after another they would each read the whole of dy. */
const FEW_CHANNELS = 8;

interface Problem {
  readonly x: Picture;
  readonly dy: Picture;
  readonly geometry: TapGeometry;
  readonly filter: FilterSizes;
  readonly groups: number;
  readonly batch: Dim;
}

/** Windows are patches: one product of rows. */
function fromPatches({ x, dy, filter }: Problem, context: LoweringContext): Name {
  const { outChannels, groupChannels, kernel } = filter;
  const product = multiply(
    { ...rowsFromPicture(dy.name, dy.shape, context), transposed: true },
    { ...patchRows(x.name, x.shape, kernel, context), transposed: false },
    context,
  );
  const columns = groupChannels * kernel[0] * kernel[1];
  const filterShape = [outChannels, groupChannels, ...kernel];
  return reshapeTo(product, [outChannels, columns], filterShape, context);
}

/** Filters per tap [O, C/groups] (named by any shape of that size) put side by side. */
function joinTaps(
  taps: readonly Name[],
  { outChannels, groupChannels, kernel }: FilterSizes,
  { shape, context }: { shape: Shape; context: LoweringContext },
): Name {
  const columns = taps.map((tap) =>
    reshapeTo(tap, shape, [outChannels, groupChannels, 1], context),
  );
  const [only] = columns;
  const joined =
    columns.length === 1 && only !== undefined
      ? only
      : context.onnx.node("Concat", columns, { axis: 2 });
  const filterShape = [outChannels, groupChannels, ...kernel];
  return reshapeTo(joined, [outChannels, groupChannels, taps.length], filterShape, context);
}

/**
 * Channels first: the samples become part of the summed axis, so that there is one product per tap and no sum over the
 * samples' products, which would be larger than the pictures.
 */
function channelsFirst(problem: Problem, context: LoweringContext): Name {
  const { x, dy, geometry, filter, batch } = problem;
  const swap = ({ name, shape }: Picture): Picture => ({
    name: transposeTo(name, [1, 0, 2, 3], context),
    shape: [shape[1] ?? 1, shape[0] ?? 1, ...shape.slice(2)],
  });
  const taps = slicedTaps(swap(x), swap(dy), geometry, context);
  const length = mulDims(batch, taps.length);
  const matrix = (name: Name, channels: number): { name: Name; shape: Shape } => ({
    name: reshapeTo(name, [channels, batch, taps.length], [channels, length], context),
    shape: [channels, length],
  });
  const left = { ...matrix(taps.dy, filter.outChannels), transposed: false };
  const products = taps.windows.map((window) =>
    multiply(left, { ...matrix(window, filter.groupChannels), transposed: true }, context),
  );
  const shape = [filter.outChannels, filter.groupChannels];
  return joinTaps(products, filter, { shape, context });
}

/** All taps below one another as if they were channels: one product. */
function tapsAsChannels(problem: Problem, context: LoweringContext): Name {
  const { x, dy, geometry, filter, batch } = problem;
  const { outChannels, groupChannels, kernel } = filter;
  const taps = slicedTaps(x, dy, geometry, context);
  const rows = taps.windows.length * groupChannels;
  const windows = context.onnx.node("Concat", taps.windows, { axis: 1 });
  const product = multiply(
    { name: taps.dy, shape: [batch, outChannels, taps.length], transposed: false },
    { name: windows, shape: [batch, rows, taps.length], transposed: true },
    context,
  );
  const total = reduce("ReduceSum", product, { axes: [0], keepDims: false }, context);
  const apart = [outChannels, taps.windows.length, groupChannels];
  const split = reshapeTo(total, [outChannels, rows], apart, context);
  const moved = transposeTo(split, [0, 2, 1], context);
  const from = [outChannels, groupChannels, taps.windows.length];
  return reshapeTo(moved, from, [outChannels, groupChannels, ...kernel], context);
}

/** A product per tap, sample and group, added up over the samples. */
function perSample(problem: Problem, context: LoweringContext): Name {
  const { x, dy, geometry, filter, groups, batch } = problem;
  const { outChannels, groupChannels } = filter;
  const [down, across] = geometry.strides;
  const taps =
    down === 1 && across === 1
      ? flatShiftTaps(x, dy, geometry, context)
      : slicedTaps(x, dy, geometry, context);
  const split = (name: Name, channels: number): { name: Name; shape: Shape } => {
    const from = [batch, channels * groups, taps.length];
    const shape = groups === 1 ? from : [batch, groups, channels, taps.length];
    return { name: reshapeTo(name, from, shape, context), shape };
  };
  const left = { ...split(taps.dy, outChannels / groups), transposed: false };
  const sums = taps.windows.map((window) => {
    const right = { ...split(window, groupChannels), transposed: true };
    const product = multiply(left, right, context);
    return reduce("ReduceSum", product, { axes: [0], keepDims: false }, context);
  });
  const single = [outChannels, groupChannels];
  const shape = groups === 1 ? single : [groups, outChannels / groups, groupChannels];
  return joinTaps(sums, filter, { shape, context });
}

function problemOf(node: LoweredNode<PrimitiveAttrs["conv2dFilterGradient"]>): Problem {
  const [x, dy] = [operand(node, 0), operand(node, 1)];
  const { filterShape, padding, strides, groups } = node.attrs;
  const filter = filterSizes(filterShape);
  const geometry = { kernel: filter.kernel, padding, strides };
  return { x, dy, geometry, filter, groups, batch: x.shape[0] ?? 1 };
}

const conv2dFilterGradient: Lowering<PrimitiveAttrs["conv2dFilterGradient"]> = (node, context) => {
  const problem = problemOf(node);
  const { filter, groups, dy } = problem;
  if (isPatchify(node.attrs, filter.kernel)) return fromPatches(problem, context);
  const [height, width] = pictureSize(dy.shape);
  const taps = filter.kernel[0] * filter.kernel[1];
  if (groups === 1 && taps > 1 && filter.groupChannels <= FEW_CHANNELS) {
    return tapsAsChannels(problem, context);
  }
  if (hasShifts(problem)) return shiftedProduct(problem, context);
  if (groups === 1 && filter.outChannels > height * width) return channelsFirst(problem, context);
  return perSample(problem, context);
};

export const FILTER_GRADIENT_LOWERINGS: Pick<PrimitiveLowerings, "conv2dFilterGradient"> = {
  conv2dFilterGradient,
};
