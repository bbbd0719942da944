/**
 * Convolution gradients on WebAssembly as convolutions: there is no kernel for a filter's, and the one for an input's is
 * ten times as slow. Channels that are convolved each by itself are one call rather than one each.
 */
import type { PrimitiveAttrs } from "@diptych/core/backend";
import type { OpCall } from "../executor/device.js";
import {
  convolutionsBy,
  KERNEL_CONVOLUTIONS,
  kernelWindow,
  type Convolutions,
  type GroupConvolutions,
  type Sizes,
  type Window,
} from "./convolution.js";
import { sizeOf, type Kernels, type Tensor } from "./kernels.js";
import { operand, resultOf, type Lowering } from "./lowering.js";

/** Beyond this stride, more zeros than a convolution's speed is worth would stand between the entries. */
const LARGEST_STRIDE = 3;

/** dy with strides − 1 rows and columns of zeros between its own. */
function dilated(dy: Tensor, [down, right]: readonly [number, number], kernels: Kernels): Tensor {
  if (down === 1 && right === 1) return dy;
  const [count, rows, columns, channels] = dy.shape as [number, number, number, number];
  const apart = kernels.reshape(dy, [count, rows, 1, columns, 1, channels]);
  const spread = kernels.pad(
    apart,
    [0, 0, 0, 0, 0, 0],
    [count, rows, down, columns, right, channels],
  );
  return kernels.slice(
    kernels.reshape(spread, [count, rows * down, columns * right, channels]),
    [0, 0, 0, 0],
    [count, (rows - 1) * down + 1, (columns - 1) * right + 1, channels],
  );
}

/** The padding of dy, {@link dilated}, that gives a gradient of `inputShape`; undefined where it is no convolution's. */
function gradientPadding(
  dy: Tensor,
  [height, width]: readonly [number, number],
  inputShape: Sizes,
  { strides, padding }: Window,
): Window["padding"] | undefined {
  const [, rows, columns] = dy.shape as [number, number, number];
  const sides = [
    height - 1 - padding[0],
    width - 1 - padding[1],
    inputShape[1]! + padding[0] - ((rows - 1) * strides[0] + 1),
    inputShape[2]! + padding[1] - ((columns - 1) * strides[1] + 1),
  ] as const;
  return Math.max(...strides) > LARGEST_STRIDE || Math.min(...sides) < 0 ? undefined : sides;
}

/** dx at a pixel is the sum over the taps that saw it: dy, spread by the strides, against the filter turned around. */
const inputGradient: GroupConvolutions["inputGradient"] = (
  [dy, filter],
  inputShape,
  window,
  kernels,
) => {
  const padding = gradientPadding(dy, filter.shape as [number, number], inputShape, window);
  if (!padding) return KERNEL_CONVOLUTIONS.inputGradient([dy, filter], inputShape, window, kernels);
  const around = kernels.run("Reverse", { x: filter }, { dims: [0, 1] });
  return kernels.run(
    "Conv2D",
    { x: dilated(dy, window.strides, kernels), filter: kernels.transpose(around, [0, 1, 3, 2]) },
    kernelWindow({ strides: [1, 1], padding }),
  );
};

/**
 * dW at a tap is x, from the tap on by strides, against dy, summed over pictures and places: a convolution of x with dy for
 * its filter, where pictures are the channels and x's channels the pictures.
 */
const filterGradient: GroupConvolutions["filterGradient"] = (
  [x, dy],
  [height, width, inputs, outputs],
  { strides, padding },
  kernels,
) => {
  const channels = kernels.transpose(x, [3, 1, 2, 0]);
  const filter = kernels.transpose(dy, [1, 2, 0, 3]);
  const taps = kernels.run(
    "Conv2D",
    { x: channels, filter },
    { ...kernelWindow({ strides: [1, 1], padding }), dilations: [...strides] },
  );
  // Rows that no step of the strides reached give more taps than there are.
  const own = kernels.slice(taps, [0, 0, 0, 0], [inputs!, height!, width!, outputs!]);
  return kernels.transpose(own, [1, 2, 0, 3]);
};

const CONVOLUTIONS = convolutionsBy({
  forward: KERNEL_CONVOLUTIONS.forward,
  inputGradient,
  filterGradient,
});

/** The filters [channels, 1, height, width] of a convolution of each channel by itself, as the kernel wants them. */
function depthwiseFilter(
  call: OpCall<Tensor, PrimitiveAttrs["conv2d"]>,
  kernels: Kernels,
): Tensor | undefined {
  const filter = operand(call, 1);
  const { groups } = call.attrs;
  const channels = operand(call, 0).shape[3]!;
  const each = groups > 1 && groups === channels && groups === filter.shape[0];
  if (!each || filter.shape[1] !== 1 || sizeOf(filter) === 0) return undefined;
  return call.derive(1, "depthwise", () =>
    kernels.own(() => kernels.transpose(filter, [2, 3, 0, 1])),
  );
}

const conv2d: Lowering<PrimitiveAttrs["conv2d"]> = (call, kernels) => {
  const filter = depthwiseFilter(call, kernels);
  const x = operand(call, 0);
  if (!filter || sizeOf(x) === 0) return CONVOLUTIONS.conv2d(call, kernels);
  return kernels.run("DepthwiseConv2dNative", { x, filter }, kernelWindow(call.attrs));
};

const conv2dInputGradient: Lowering<PrimitiveAttrs["conv2dInputGradient"]> = (call, kernels) => {
  const filter = depthwiseFilter(call, kernels);
  const dy = operand(call, 0);
  const { shape } = resultOf(call);
  const padding =
    filter && sizeOf(dy) > 0
      ? gradientPadding(dy, filter.shape as [number, number], shape, call.attrs)
      : undefined;
  if (!filter || !padding) return CONVOLUTIONS.conv2dInputGradient(call, kernels);
  const around = kernels.run("Reverse", { x: filter }, { dims: [0, 1] });
  return kernels.run(
    "DepthwiseConv2dNative",
    { x: dilated(dy, call.attrs.strides, kernels), filter: around },
    kernelWindow({ strides: [1, 1], padding }),
  );
};

export const WASM_CONVOLUTIONS: Convolutions = { ...CONVOLUTIONS, conv2d, conv2dInputGradient };
