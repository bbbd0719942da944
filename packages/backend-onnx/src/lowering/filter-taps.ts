/** What each position (tap) of a filter sees of a picture, laid out for products with the convolution's cotangent. */
import { equalShapes, type Shape } from "@diptych/core";
import type { ConvAttrs } from "@diptych/core/backend";
import { pictureSize } from "./convolution.js";
import { padTo, reshapeTo, windowOf } from "./layout.js";
import type { LoweringContext } from "./lowering.js";
import type { Name } from "./onnx-builder.js";

/** [A, B, height, width]: usually samples and channels, or the other way round. */
export interface Picture {
  readonly name: Name;
  readonly shape: Shape;
}

export interface TapGeometry {
  readonly kernel: readonly [number, number];
  readonly padding: ConvAttrs["padding"];
  readonly strides: ConvAttrs["strides"];
}

export interface Taps {
  /** dy as [A, B, length]. */
  readonly dy: Name;
  /** [A, B, length] each, row by row of the filter. */
  readonly windows: readonly Name[];
  readonly length: number;
}

function padPicture(
  { name, shape: from }: Picture,
  [top, left, bottom, right]: ConvAttrs["padding"],
  context: LoweringContext,
): Picture {
  const [height, width] = pictureSize(from);
  const shape = [...from.slice(0, 2), height + top + bottom, width + left + right];
  const zero = context.onnx.scalar(context.float, 0);
  return { name: padTo(name, { from, begins: [0, 0, top, left], shape, zero }, context), shape };
}

function flattenPicture({ name, shape: from }: Picture, context: LoweringContext): Picture {
  const [height, width] = pictureSize(from);
  const shape = [...from.slice(0, 2), height * width];
  return { name: reshapeTo(name, from, shape, context), shape };
}

/** Row and column of each tap. */
function tapPositions([height, width]: readonly [number, number]): readonly [number, number][] {
  return Array.from({ length: height * width }, (_, i) => [Math.floor(i / width), i % width]);
}

/**
 * Stride 1: with dy's rows filled up with zeros to the width of the padded x, what a tap sees is one run of the flat
 * picture; what it sees beyond its row's end meets a zero.
 */
export function flatShiftTaps(
  x: Picture,
  dy: Picture,
  { kernel, padding }: TapGeometry,
  context: LoweringContext,
): Taps {
  const [top, left, bottom, right] = padding;
  // The last tap runs past the end by the width of the kernel: one more row.
  const spare = kernel[1] > 1 ? 1 : 0;
  const padded = padPicture(x, [top, left, bottom + spare, right], context);
  const [, width] = pictureSize(padded.shape);
  const flat = flattenPicture(padded, context);
  const length = pictureSize(dy.shape)[0] * width;
  const shape = [...flat.shape.slice(0, 2), length];
  const windows = tapPositions(kernel).map(([row, column]) => {
    const begins = [0, 0, row * width + column];
    return windowOf(flat.name, { from: flat.shape, begins, shape }, context);
  });
  const wideDy = padPicture(dy, [0, 0, 0, kernel[1] - 1], context);
  return { dy: flattenPicture(wideDy, context).name, windows, length };
}

/** Any stride: each tap's window is cut out. */
export function slicedTaps(
  x: Picture,
  dy: Picture,
  { kernel, padding, strides }: TapGeometry,
  context: LoweringContext,
): Taps {
  const { onnx } = context;
  const padded = padPicture(x, padding, context);
  const [height, width] = pictureSize(dy.shape);
  const shape = [...padded.shape.slice(0, 2), height, width];
  const windows = tapPositions(kernel).map(([row, column]) => {
    if (equalShapes(padded.shape, shape)) return flattenPicture(padded, context).name;
    const begins = [row, column];
    const ends = [row + (height - 1) * strides[0] + 1, column + (width - 1) * strides[1] + 1];
    const window = [begins, ends, [2, 3], strides].map((values) => onnx.ints(values));
    const name = onnx.node("Slice", [padded.name, ...window]);
    return flattenPicture({ name, shape }, context).name;
  });
  return { dy: flattenPicture(dy, context).name, windows, length: height * width };
}
