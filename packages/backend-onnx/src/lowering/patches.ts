/**
 * A convolution whose windows neither overlap nor leave gaps is a product of matrices: one row per window. That is
 * faster than Conv, and both gradients are products too.
 */
import { mulDims, type Shape } from "@diptych/core";
import type { ConvAttrs } from "@diptych/core/backend";
import { padTo, reshapeTo, transposeTo, windowOf } from "./layout.js";
import type { LoweringContext } from "./lowering.js";
import type { Name } from "./onnx-builder.js";

type Pair = readonly [number, number];

/** A matrix with its sizes. */
export interface Rows {
  readonly name: Name;
  readonly shape: Shape;
}

export function isPatchify({ strides, padding, groups }: ConvAttrs, kernel: Pair): boolean {
  const tiles = strides[0] === kernel[0] && strides[1] === kernel[1] && kernel[0] * kernel[1] > 1;
  return tiles && groups === 1 && padding.every((pad) => pad === 0);
}

interface Grid {
  /** [N, C, gridHeight·kh, gridWidth·kw]: the picture without the rest that no window covers. */
  readonly covered: Shape;
  /** [N, C, gridHeight, kh, gridWidth, kw] */
  readonly split: Shape;
  /** [N, gridHeight, gridWidth, C, kh, kw] */
  readonly patches: Shape;
  /** [N·gridHeight·gridWidth, C·kh·kw] */
  readonly rows: Shape;
}

function gridOf(picture: Shape, [kernelHeight, kernelWidth]: Pair): Grid {
  const [batch = 1, channels = 1, height = 1, width = 1] = picture;
  const gridHeight = Math.floor(Number(height) / kernelHeight);
  const gridWidth = Math.floor(Number(width) / kernelWidth);
  return {
    covered: [batch, channels, gridHeight * kernelHeight, gridWidth * kernelWidth],
    split: [batch, channels, gridHeight, kernelHeight, gridWidth, kernelWidth],
    patches: [batch, gridHeight, gridWidth, channels, kernelHeight, kernelWidth],
    rows: [mulDims(batch, gridHeight * gridWidth), mulDims(channels, kernelHeight * kernelWidth)],
  };
}

const NO_OFFSET = [0, 0, 0, 0];

/** [N, C, H, W] → one row per window, channels first. */
export function patchRows(x: Name, shape: Shape, kernel: Pair, context: LoweringContext): Rows {
  const grid = gridOf(shape, kernel);
  const window = { from: shape, begins: NO_OFFSET, shape: grid.covered };
  const split = reshapeTo(windowOf(x, window, context), grid.covered, grid.split, context);
  const patches = transposeTo(split, [0, 2, 4, 1, 3, 5], context);
  return { name: reshapeTo(patches, grid.patches, grid.rows, context), shape: grid.rows };
}

/** One row per window → [N, C, H, W], zeros where no window was. */
export function unpatchRows(
  rows: Name,
  picture: Shape,
  kernel: Pair,
  context: LoweringContext,
): Name {
  const grid = gridOf(picture, kernel);
  const patches = reshapeTo(rows, grid.rows, grid.patches, context);
  const split = transposeTo(patches, [0, 3, 1, 4, 2, 5], context);
  const covered = reshapeTo(split, grid.split, grid.covered, context);
  const zero = context.onnx.scalar(context.float, 0);
  return padTo(covered, { from: grid.covered, begins: NO_OFFSET, shape: picture, zero }, context);
}

/** [N, O, H, W] → [N·H·W, O]. */
export function rowsFromPicture(x: Name, shape: Shape, context: LoweringContext): Rows {
  const [batch = 1, channels = 1, height = 1, width = 1] = shape;
  const positions = mulDims(height, width);
  const flat = reshapeTo(x, shape, [batch, channels, positions], context);
  const moved = transposeTo(flat, [0, 2, 1], context);
  const rows = [mulDims(batch, positions), channels];
  return { name: reshapeTo(moved, [batch, positions, channels], rows, context), shape: rows };
}

/** [N·H·W, O] → [N, O, H, W]. */
export function pictureFromRows(rows: Name, picture: Shape, context: LoweringContext): Name {
  const [batch = 1, channels = 1, height = 1, width = 1] = picture;
  const positions = mulDims(height, width);
  const flat = [batch, positions, channels];
  const apart = reshapeTo(rows, [mulDims(batch, positions), channels], flat, context);
  const moved = transposeTo(apart, [0, 2, 1], context);
  return reshapeTo(moved, [batch, channels, positions], picture, context);
}
