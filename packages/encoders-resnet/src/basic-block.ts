/** A basic residual block: two 3×3 convolutions, with torchvision's names. */
import {
  add,
  avgPool2d,
  checkShapes,
  relu,
  zeros,
  type BuildContext,
  type Value,
} from "@diptych/core";
import { inScope } from "@diptych/nn";
import { buildConvNorm } from "./conv-norm.js";

export interface BasicBlockOptions {
  readonly outChannels: number;
  readonly stride: 1 | 2;
  /** `stride`: strided convolutions; `pool`: the map is averaged first, and both branches see it halved. */
  readonly downsample: "stride" | "pool";
}

/**
 * relu(shortcut(x) + bn2(conv2(relu(bn1(conv1(x)))))) (arXiv:1512.03385, figure 5 left). bn2 starts at scale 0, so that
 * a block starts as its shortcut (arXiv:1706.02677 §5.1); the shortcut is x, or `downsample.0` (1×1) and `downsample.1`
 * (norm) where shapes change.
 *
 * @param x [batch, channels, height, width]
 * @returns [batch, outChannels, height/stride, width/stride]
 */
export function buildBasicBlock(
  context: BuildContext,
  x: Value,
  { outChannels, stride, downsample }: BasicBlockOptions,
): Value {
  const { channels } = checkShapes("encoders-resnet/buildBasicBlock", [
    x,
    "x",
    ["batch", "channels", "height", "width"],
  ]);
  const pooled = stride > 1 && downsample === "pool";
  const source = pooled ? avgPool2d(x, stride) : x;
  const convStride = pooled ? 1 : stride;
  const hidden = buildConvNorm(context, source, {
    names: ["conv1", "bn1"],
    outChannels,
    kernel: 3,
    stride: convStride,
  });
  const residual = buildConvNorm(context, relu(hidden), {
    names: ["conv2", "bn2"],
    outChannels,
    kernel: 3,
    scaleInit: zeros,
  });
  const shortcut =
    stride === 1 && channels === outChannels
      ? source
      : buildConvNorm(inScope(context, "downsample"), source, {
          names: ["0", "1"],
          outChannels,
          kernel: 1,
          stride: convStride,
        });
  return relu(add(shortcut, residual));
}
