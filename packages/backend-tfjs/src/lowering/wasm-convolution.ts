/**
 * Convolution gradients on WebAssembly as convolutions: there is no kernel for a filter's, and the one for an input's is
 * ten times as slow.
 */
import { KERNEL_CONVOLUTIONS, kernelWindow, type GroupConvolutions } from "./convolution.js";
import type { Kernels, Tensor } from "./kernels.js";

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

/** dx at a pixel is the sum over the taps that saw it: dy, spread by the strides, against the filter turned around. */
const inputGradient: GroupConvolutions["inputGradient"] = (
  [dy, filter],
  inputShape,
  window,
  kernels,
) => {
  const { strides, padding } = window;
  const [height, width] = filter.shape as [number, number];
  const [, rows, columns] = dy.shape as [number, number, number];
  const [top, left] = [height - 1 - padding[0], width - 1 - padding[1]];
  const bottom = inputShape[1]! + padding[0] - ((rows - 1) * strides[0] + 1);
  const right = inputShape[2]! + padding[1] - ((columns - 1) * strides[1] + 1);
  if (Math.max(...strides) > LARGEST_STRIDE || Math.min(top, left, bottom, right) < 0)
    return KERNEL_CONVOLUTIONS.inputGradient([dy, filter], inputShape, window, kernels);
  const around = kernels.run("Reverse", { x: filter }, { dims: [0, 1] });
  return kernels.run(
    "Conv2D",
    { x: dilated(dy, strides, kernels), filter: kernels.transpose(around, [0, 1, 3, 2]) },
    kernelWindow({ strides: [1, 1], padding: [top, left, bottom, right] }),
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

export const WASM_CONVOLUTIONS: GroupConvolutions = {
  forward: KERNEL_CONVOLUTIONS.forward,
  inputGradient,
  filterGradient,
};
