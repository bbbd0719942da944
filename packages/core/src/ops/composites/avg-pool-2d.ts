/** Average pooling over windows that neither overlap nor reach over the edge. */
import { ShapeError } from "../../errors.js";
import { buildValue } from "../../graph/builder.js";
import { dtypeOf, shapeOf, type Value } from "../../graph/node.js";
import type { CompositeDef } from "../../graph/op-def.js";
import type { Dim } from "../../tensor/dim.js";
import { createShape, formatShape, type Shape } from "../../tensor/shape.js";
import type { CompositeAttrs } from "../composite-table.js";
import { conv2dInputGradient } from "../primitives/contraction.js";
import { toNchw, toNhwc } from "../primitives/image-axes.js";
import { broadcast, reshape, slice } from "../primitives/layout.js";
import { scalar } from "../primitives/leaves.js";
import { mean } from "./mean.js";
import { floatType, onlyOperand } from "./operand-types.js";

interface PoolGrid {
  readonly batch: Dim;
  readonly channels: number;
  /** Windows down and across. */
  readonly grid: readonly [number, number];
}

function poolGrid(shape: Shape, size: readonly [number, number]): PoolGrid {
  const [batch, channels, height, width] = shape;
  const counts = [height, width].map((pixels, i) =>
    typeof pixels === "number" ? Math.floor(pixels / size[i]!) : 0,
  );
  const [down = 0, across = 0] = counts;
  if (shape.length !== 4 || typeof channels !== "number" || down < 1 || across < 1) {
    throw new ShapeError(
      `core/avgPool2d: x: expected [N, C, H, W] with numbers for C, H and W and at least one window of ${size.join(" × ")}, got ${formatShape(shape)}.`,
    );
  }
  return { batch: batch!, channels, grid: [down, across] };
}

export const avgPool2dDef: CompositeDef<CompositeAttrs["avgPool2d"]> = {
  kind: "composite",
  name: "avgPool2d",
  infer: (types, { size, layout }) => {
    const { shape, dtype } = floatType("avgPool2d", types);
    const { batch, channels, grid } = poolGrid(layout ? toNchw(shape) : shape, size);
    const pooled = [batch, channels, ...grid];
    return [{ shape: createShape(layout ? toNhwc(pooled) : pooled), dtype }];
  },
  decompose: (inputs, { size, layout }) => {
    const x = onlyOperand("avgPool2d", inputs);
    const shape = shapeOf(x);
    const { batch, channels, grid } = poolGrid(layout ? toNchw(shape) : shape, size);
    const [down, across] = grid;
    const covered = [batch, channels, down * size[0], across * size[1]];
    const whole = slice(x, [0, 0, 0, 0], layout ? toNhwc(covered) : covered);
    const windows = [down, size[0], across, size[1]];
    if (!layout) return [mean(reshape(whole, [batch, channels, ...windows]), { axes: [3, 5] })];
    return [mean(reshape(whole, [batch, ...windows, channels]), { axes: [2, 4] })];
  },
  // The transpose of a depthwise convolution with a constant filter: one kernel, several times as fast as stretching.
  gradient: ({ inputs, attrs: { size, layout }, cotangents: [dy] }) => {
    if (!dy) return [undefined];
    const shape = shapeOf(onlyOperand("avgPool2d", inputs));
    const { channels } = poolGrid(layout ? toNchw(shape) : shape, size);
    const weight = scalar(1 / (size[0] * size[1]), dtypeOf(dy));
    const filter = broadcast(weight, [channels, 1, ...size]);
    const attrs = { strides: size, padding: [0, 0, 0, 0], groups: channels } as const;
    return [conv2dInputGradient(dy, filter, shape, { ...attrs, ...(layout ? { layout } : {}) })];
  },
};

/**
 * Mean over windows of `size` pixels [height, width] that lie side by side, as PyTorch's `avg_pool2d`: rows and columns
 * that fill no window are dropped.
 *
 * @param x [N, C, H, W]; C, H and W numbers.
 * @throws ShapeError on another shape, a window larger than the picture, or a size below 1; DtypeError unless x is float.
 */
export function avgPool2d(x: Value, size: number | readonly [number, number]): Value {
  const window = typeof size === "number" ? ([size, size] as const) : size;
  if (!window.every((pixels) => Number.isInteger(pixels) && pixels >= 1)) {
    throw new ShapeError(
      `core/avgPool2d: size: expected whole pixels of at least 1, got [${window.join(", ")}].`,
    );
  }
  return buildValue(avgPool2dDef, [x], { size: Object.freeze([window[0], window[1]] as const) });
}
