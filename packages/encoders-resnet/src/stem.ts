/** The three-convolution stem of CLIP's ResNets, without its last pool: small pictures have no pixels to lose to it. */
import { relu, type BuildContext, type Value } from "@diptych/core";
import type { BatchNormMode } from "@diptych/nn";
import { buildConvNorm } from "./conv-norm.js";

/**
 * conv1 (stride 2) → conv2 → conv3, each with a norm and relu; half of `width` channels until the last (ResNet-D's
 * stem, arXiv:1812.01187, as in arXiv:2103.00020 §2.4).
 *
 * @param image [batch, channels, height, width]
 * @returns [batch, stemWidth, height/2, width/2]
 */
export function buildStem(
  context: BuildContext,
  image: Value,
  stemWidth: number,
  norms: BatchNormMode = "batch",
): Value {
  const half = stemWidth / 2;
  const first = buildConvNorm(context, image, {
    names: ["conv1", "bn1"],
    outChannels: half,
    kernel: 3,
    norms,
    stride: 2,
  });
  const second = buildConvNorm(context, relu(first), {
    names: ["conv2", "bn2"],
    outChannels: half,
    kernel: 3,
    norms,
  });
  const third = buildConvNorm(context, relu(second), {
    names: ["conv3", "bn3"],
    outChannels: stemWidth,
    kernel: 3,
    norms,
  });
  return relu(third);
}
