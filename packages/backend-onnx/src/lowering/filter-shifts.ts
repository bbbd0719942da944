/**
 * The gradient of a filter at stride 1 as one product. Flat pictures of all samples, one after the other with margins of
 * zeros between, are shifted by rows (dy) and by columns (x): the shifted copies below one another are two matrices
 * whose product has a block for each tap of the filter. So kh + kw copies are made and not kh·kw, and no entry of the
 * product is thrown away.
 */
import { addDims, hostTensorFrom, mulDims, type Dim } from "@diptych/core";
import { pictureSize, type FilterSizes } from "./convolution.js";
import type { Picture, TapGeometry } from "./filter-taps.js";
import { padTo, reshapeTo, transposeTo } from "./layout.js";
import type { LoweringContext } from "./lowering.js";
import { multiply } from "./matmul.js";
import type { Name } from "./onnx-builder.js";

/** Height and width of a picture with its margin at the bottom and on the right, shared with its neighbours. */
type Cell = readonly [height: number, width: number];

/** The cell in which x's padding and dy fit. */
function cellOf(x: Picture, dy: Picture, { padding }: TapGeometry): Cell {
  const [height, width] = pictureSize(x.shape);
  const [dyHeight, dyWidth] = pictureSize(dy.shape);
  const [top, left, bottom, right] = padding;
  return [
    Math.max(height + Math.max(top, bottom), dyHeight),
    Math.max(width + Math.max(left, right), dyWidth),
  ];
}

/** Work beyond the convolution's own, as a factor, up to which margins cost less than a product per tap. */
const MOST_MARGIN = 1.6;

/** Whether {@link shiftedProduct} can compute a gradient, and faster than a product per tap. */
export function prefersShifts(
  x: Picture,
  dy: Picture,
  { geometry, filter, groups }: { geometry: TapGeometry; filter: FilterSizes; groups: number },
): boolean {
  const { strides, padding } = geometry;
  const [kernelHeight, kernelWidth] = filter.kernel;
  if (groups !== 1 || strides.some((stride) => stride !== 1)) return false;
  if (kernelHeight * kernelWidth === 1) return false;
  const within = padding.every((pad, i) => pad < (i % 2 === 0 ? kernelHeight : kernelWidth));
  const [height, width] = cellOf(x, dy, geometry);
  const [dyHeight, dyWidth] = pictureSize(dy.shape);
  return within && height * width <= MOST_MARGIN * dyHeight * dyWidth;
}

/** [N, channels, H, W] → [channels, N·cell], zeros in the margins. */
function flatCells(
  { name, shape }: Picture,
  [cellHeight, cellWidth]: Cell,
  context: LoweringContext,
): Name {
  const [batch = 1, channels = 1, height = 1, width = 1] = shape;
  const moved = transposeTo(name, [1, 0, 2, 3], context);
  const zero = context.onnx.scalar("float32", 0);
  const cells = [channels, batch, cellHeight, cellWidth];
  const from = [channels, batch, height, width];
  const padded = padTo(moved, { from, begins: [0, 0, 0, 0], shape: cells, zero }, context);
  return reshapeTo(padded, cells, [channels, mulDims(batch, cellHeight * cellWidth)], context);
}

interface Shifts {
  /** [channels, …] */
  readonly flat: Name;
  readonly channels: number;
  /** Zeros before the first copy, between copies, and after the last. */
  readonly zeros: readonly [before: number, between: number, after: number];
  readonly count: number;
  /** Length of a shifted row. */
  readonly length: Dim;
}

/**
 * `count` copies of each row with zeros between, cut into rows of `length`: where the period of the copies is longer
 * than that, each next row shows its copy further to the right; where it is shorter, further to the left.
 */
function shiftedRows(shifts: Shifts, context: LoweringContext): Name {
  const { flat, channels, zeros, count, length } = shifts;
  const { onnx } = context;
  const blank = (size: number): readonly Name[] =>
    size === 0
      ? []
      : [
          onnx.constant(
            hostTensorFrom("float32", [channels, size], new Array<number>(channels * size).fill(0)),
          ),
        ];
  const [before, between, after] = zeros;
  const gap = blank(between);
  const copies = Array.from({ length: count }, (_, i) => (i === 0 ? [flat] : [...gap, flat]));
  const parts = [...blank(before), ...copies.flat(), ...blank(after)];
  const stream = parts.length === 1 ? flat : onnx.node("Concat", parts, { axis: 1 });
  const from = [channels, mulDims(count, length)];
  return reshapeTo(stream, from, [channels * count, length], context);
}

/** The gradient [O, C, kh, kw]. */
export function shiftedProduct(
  {
    x,
    dy,
    geometry,
    filter,
  }: Record<"x" | "dy", Picture> & {
    geometry: TapGeometry;
    filter: FilterSizes;
  },
  context: LoweringContext,
): Name {
  const { outChannels, groupChannels: channels, kernel } = filter;
  const [kernelHeight, kernelWidth] = kernel;
  const [top, left] = geometry.padding;
  const cell = cellOf(x, dy, geometry);
  const [cellHeight, cellWidth] = cell;
  const size = mulDims(x.shape[0] ?? 1, cellHeight * cellWidth);
  // Row a of dy's matrix: dy at t − a·cellWidth. Row b of x's: x at t + b − (top·cellWidth + left). So their product over
  // t is that of tap (a, b). The last kernelWidth entries meet the next copy's first: dy is zero there.
  const rest = (kernelHeight - 1) * cellWidth + kernelWidth;
  const length = addDims(size, rest);
  const rowsOfDy = shiftedRows(
    {
      flat: flatCells(dy, cell, context),
      channels: outChannels,
      zeros: [0, rest + cellWidth, kernelWidth],
      count: kernelHeight,
      length,
    },
    context,
  );
  const before = top * cellWidth + left;
  const rowsOfX = shiftedRows(
    {
      flat: flatCells(x, cell, context),
      channels,
      zeros: [before, rest - 1, rest - 1 - before + kernelWidth],
      count: kernelWidth,
      length,
    },
    context,
  );
  const product = multiply(
    { name: rowsOfDy, shape: [outChannels * kernelHeight, length], transposed: false },
    { name: rowsOfX, shape: [channels * kernelWidth, length], transposed: true },
    context,
  );
  const blocks = [outChannels, kernelHeight, channels, kernelWidth];
  const from = [outChannels * kernelHeight, channels * kernelWidth];
  const apart = reshapeTo(product, from, blocks, context);
  return transposeTo(apart, [0, 2, 1, 3], context);
}
