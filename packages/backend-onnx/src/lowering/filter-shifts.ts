/**
 * The gradient of a filter at stride 1 as one product. The flat pictures of all samples, one after the other, are shifted
 * by rows (dy) and by columns (x): the shifted copies below one another are two matrices whose product has a block for
 * each tap of the filter. So kh + kw copies are made and not kh·kw, and no entry of the product is thrown away.
 */
import { addDims, hostTensorFrom, isSymbolic, mulDims, type Dim } from "@diptych/core";
import { pictureSize, type FilterSizes } from "./convolution.js";
import type { Picture, TapGeometry } from "./filter-taps.js";
import { padTo, reshapeTo, transposeTo } from "./layout.js";
import type { LoweringContext } from "./lowering.js";
import { multiply } from "./matmul.js";
import type { Name } from "./onnx-builder.js";

/** What a picture takes in the flat rows. */
interface Cell {
  readonly height: number;
  readonly width: number;
  /** Whether a shift over an edge must be masked. */
  readonly tight: boolean;
}

/** Work beyond the convolution's own, as a factor, up to which margins of zeros cost less than masks. */
const MOST_MARGIN = 1.1;

/**
 * The cell in which x and dy fit. With margins a shift beyond a picture's edge meets zeros, at the bottom and on the right
 * for all sides, since the next picture's edge is there; around small pictures they would be much of the work, and what
 * is shifted over the edge is masked.
 */
function cellOf(x: Picture, dy: Picture, { padding }: TapGeometry): Cell {
  const [height, width] = pictureSize(x.shape);
  const [dyHeight, dyWidth] = pictureSize(dy.shape);
  const [top, left, bottom, right] = padding;
  const tight = { height: Math.max(height, dyHeight), width: Math.max(width, dyWidth) };
  const wide = {
    height: Math.max(height + Math.max(top, bottom), dyHeight),
    width: Math.max(width + Math.max(left, right), dyWidth),
  };
  return wide.height * wide.width > MOST_MARGIN * dyHeight * dyWidth
    ? { ...tight, tight: true }
    : { ...wide, tight: false };
}

/** Whether {@link shiftedProduct} can compute a gradient. */
export function hasShifts({
  geometry: { strides, padding },
  filter: { kernel },
  groups,
}: {
  geometry: TapGeometry;
  filter: FilterSizes;
  groups: number;
}): boolean {
  const [height, width] = kernel;
  if (groups !== 1 || strides.some((stride) => stride !== 1) || height * width === 1) return false;
  return padding.every((pad, i) => pad < (i % 2 === 0 ? height : width));
}

/** A picture in cells one after the other. */
interface FlatCells {
  /** [channels, N·cell] */
  readonly name: Name;
  readonly channels: number;
  readonly batch: Dim;
  readonly cell: Cell;
}

/** [N, channels, H, W] → [channels, N·cell]. */
function flatCells({ name, shape }: Picture, cell: Cell, context: LoweringContext): FlatCells {
  const [batch = 1, outer = 1, height = 1, width = 1] = shape;
  const channels = Number(outer);
  const moved = transposeTo(name, [1, 0, 2, 3], context);
  const zero = context.onnx.scalar(context.float, 0);
  const cells = [channels, batch, cell.height, cell.width];
  const from = [channels, batch, height, width];
  const padded = padTo(moved, { from, begins: [0, 0, 0, 0], shape: cells, zero }, context);
  const flat = reshapeTo(
    padded,
    cells,
    [channels, mulDims(batch, cell.height * cell.width)],
    context,
  );
  return { name: flat, channels, batch, cell };
}

/** Entries of a mask, where pictures are small enough to let it span several: short runs are slow to multiply. */
const LONG_RUN = 512;

/** The pictures with zeros at the places of tight cells that `keeps` refuses. */
function masked(
  { name, channels, batch, cell }: FlatCells,
  keeps: (row: number, column: number) => boolean,
  context: LoweringContext,
): Name {
  if (!cell.tight) return name;
  const size = cell.height * cell.width;
  const one = Array.from({ length: size }, (_, i) =>
    keeps(Math.floor(i / cell.width), i % cell.width) ? 1 : 0,
  );
  if (one.every((entry) => entry === 1)) return name;
  const pictures = Array.from({ length: Math.max(1, Math.floor(LONG_RUN / size)) }, (_, i) => i + 1)
    .reverse()
    .find((count) => count === 1 || (!isSymbolic(batch) && batch > 0 && batch % count === 0));
  const count = pictures ?? 1;
  const mask = Array.from({ length: count }, () => one).flat();
  const runs = isSymbolic(batch) ? batch : batch / count;
  const flat = [channels, mulDims(batch, size)];
  const apart = [channels, runs, count * size];
  const split = reshapeTo(name, flat, apart, context);
  const constant = context.onnx.constant(hostTensorFrom(context.float, [mask.length], mask));
  return reshapeTo(context.onnx.node("Mul", [split, constant]), apart, flat, context);
}

interface Shifts {
  /** [channels, …], one for each shift. */
  readonly copies: readonly Name[];
  readonly channels: number;
  /** Zeros before the first copy, between copies, and after the last. */
  readonly zeros: readonly [before: number, between: number, after: number];
  /** Length of a shifted row. */
  readonly length: Dim;
}

/**
 * The copies after one another with zeros between, cut into rows of `length`: where their period is longer than that,
 * each next row shows its copy further to the right; where it is shorter, further to the left.
 */
function shiftedRows({ copies, channels, zeros, length }: Shifts, context: LoweringContext): Name {
  const { onnx } = context;
  const blank = (size: number): readonly Name[] =>
    size === 0
      ? []
      : [
          onnx.constant(
            hostTensorFrom(
              context.float,
              [channels, size],
              new Array<number>(channels * size).fill(0),
            ),
          ),
        ];
  const [before, between, after] = zeros;
  const gap = blank(between);
  const stream = copies.flatMap((copy, i) => (i === 0 ? [copy] : [...gap, copy]));
  const parts = [...blank(before), ...stream, ...blank(after)];
  const [only] = parts;
  const joined =
    parts.length === 1 && only !== undefined ? only : onnx.node("Concat", parts, { axis: 1 });
  const from = [channels, mulDims(copies.length, length)];
  return reshapeTo(joined, from, [channels * copies.length, length], context);
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
  const size = mulDims(x.shape[0] ?? 1, cell.height * cell.width);
  const within = (place: number, end: number): boolean => place >= 0 && place < end;
  const each = <T>(count: number, make: (i: number) => T): T[] =>
    Array.from({ length: count }, (_, i) => make(i));
  // Row a of dy's matrix: dy at t − a·cell.width. Row b of x's: x at t + b − (top·cell.width + left). So their product over
  // t is that of tap (a, b). The last kernelWidth entries meet the next copy's first: dy is zero there.
  const rest = (kernelHeight - 1) * cell.width + kernelWidth;
  const length = addDims(size, rest);
  const flatDy = flatCells(dy, cell, context);
  const rowsOfDy = shiftedRows(
    {
      copies: each(kernelHeight, (a) =>
        masked(flatDy, (row) => within(row + a - top, cell.height), context),
      ),
      channels: outChannels,
      zeros: [0, rest + cell.width, kernelWidth],
      length,
    },
    context,
  );
  const before = top * cell.width + left;
  const flatX = flatCells(x, cell, context);
  const rowsOfX = shiftedRows(
    {
      copies: each(kernelWidth, (b) =>
        masked(flatX, (_, column) => within(column - b + left, cell.width), context),
      ),
      channels,
      zeros: [before, rest - 1, rest - 1 - before + kernelWidth],
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
