/**
 * Convolutions in ONNX Runtime's blocked layout (domain com.microsoft.nchwc): channels in blocks of one vector register,
 * computed without unfolding the picture. ONNX Runtime puts them in itself, but only where the filter is a constant; in
 * training it is not, and the plain Conv is two to four times slower on small pictures. The filter's own reordering,
 * which ONNX Runtime does ahead of time, is a Reshape and a Transpose here.
 */
import { isSymbolic, type Shape } from "@diptych/core";
import type { ConvAttrs } from "@diptych/core/backend";
import { reshapeTo, transposeTo } from "./layout.js";
import type { LoweringContext } from "./lowering.js";
import type { Name } from "./onnx-builder.js";

/** Domain of the operators on blocked pictures. */
export const BLOCKED_DOMAIN = "com.microsoft.nchwc";

export interface ConvolutionProblem {
  readonly x: { readonly name: Name; readonly shape: Shape };
  /** [outChannels, channels, height, width] */
  readonly filter: {
    readonly name: Name;
    readonly shape: readonly [number, number, number, number];
  };
  readonly strides: ConvAttrs["strides"];
  readonly padding: readonly number[];
  readonly groups: number;
}

/** Whether the blocked kernels take it: whole blocks of channels on both sides, one group, a batch that is known. */
export function isBlocked(
  { x, filter, groups }: ConvolutionProblem,
  { onnx }: LoweringContext,
): boolean {
  const block = onnx.target.channelBlock;
  const [outChannels, channels] = filter.shape;
  const [batch = 0] = x.shape;
  return (
    block > 0 &&
    groups === 1 &&
    channels % block === 0 &&
    outChannels % block === 0 &&
    !isSymbolic(batch) &&
    batch > 0
  );
}

/** conv2d of pictures in the plain layout by way of the blocked one. */
export function blockedConvolution(problem: ConvolutionProblem, context: LoweringContext): Name {
  const { onnx } = context;
  const { x, filter, strides, padding } = problem;
  const [outChannels, , height, width] = filter.shape;
  const blocked = onnx.node("ReorderInput", [x.name], {}, BLOCKED_DOMAIN);
  const y = onnx.node(
    "Conv",
    [blocked, blockedFilter(problem, context)],
    { kernel_shape: [height, width], strides, pads: padding },
    BLOCKED_DOMAIN,
  );
  return onnx.node("ReorderOutput", [y], { channels: outChannels }, BLOCKED_DOMAIN);
}

/** [O, I, h, w] as [O/b, I/b, h, w, b of I, b of O], under the plain shape that the operator expects. */
function blockedFilter({ filter }: ConvolutionProblem, context: LoweringContext): Name {
  const block = context.onnx.target.channelBlock;
  const [outChannels, channels, height, width] = filter.shape;
  const apart = [outChannels / block, block, channels / block, block, height, width];
  const split = reshapeTo(filter.name, filter.shape, apart, context);
  const moved = transposeTo(split, [0, 2, 4, 5, 3, 1], context);
  const order = [0, 2, 4, 5, 3, 1].map((axis) => apart[axis] ?? 1);
  return reshapeTo(moved, order, filter.shape, context);
}
