/** Convolution with PyTorch's parameters: `weight` [outChannels, channels/groups, kernel, kernel], `bias` [outChannels]. */
import {
  add,
  checkShapes,
  conv2d,
  reshape,
  shapeOf,
  staticShape,
  torchDefault,
  type BuildContext,
  type Initializer,
  type Value,
} from "@diptych/core";

export interface ConvLayerOptions {
  readonly outChannels: number;
  readonly kernel: number;
  readonly stride?: number;
  /** Zeros added on each side; kernel 3 with padding 1 keeps the size. */
  readonly padding?: number;
  readonly groups?: number;
  /** Off by default: convolutions here stand before a norm or after none needed (CLIP's have no bias). */
  readonly bias?: boolean;
  /** U(±1/√fanIn) by default, as PyTorch. */
  readonly weightInit?: Initializer;
}

/**
 * Cross-correlation over pictures.
 *
 * @param x [batch, channels, height, width], sizes but the batch as numbers.
 * @returns [batch, outChannels, ⌊(height+2·padding−kernel)/stride⌋+1, likewise]
 * @throws ShapeError where the sizes are symbolic or the kernel exceeds the padded picture.
 */
export function buildConv2d(
  { scope }: BuildContext,
  x: Value,
  {
    outChannels,
    kernel,
    stride = 1,
    padding = 0,
    groups = 1,
    bias = false,
    weightInit,
  }: ConvLayerOptions,
): Value {
  checkShapes("nn/buildConv2d", [x, "x", ["batch", "channels", "height", "width"]]);
  const [channels = 1] = staticShape(shapeOf(x).slice(1, 2), "nn/buildConv2d");
  const fanIn = (channels / groups) * kernel * kernel;
  const weight = scope.parameter("weight", [outChannels, channels / groups, kernel, kernel], {
    initializer: weightInit ?? torchDefault(fanIn),
  });
  const y = conv2d(x, weight, {
    strides: [stride, stride],
    padding: [padding, padding, padding, padding],
    groups,
  });
  if (!bias) return y;
  const offset = scope.parameter("bias", [outChannels], { initializer: torchDefault(fanIn) });
  return add(y, reshape(offset, [outChannels, 1, 1]));
}
