/** A bottleneck block of the paper's ResNet: 1×1, 3×3, 1×1 convolutions of stride 1, pooled where the map halves. */
import {
  add,
  avgPool2d,
  checkShapes,
  relu,
  zeros,
  type BuildContext,
  type Value,
} from "@diptych/core";
import { inScope, type BatchNormMode } from "@diptych/nn";
import { buildConvNorm } from "./conv-norm.js";

/** Channels out of a block over those inside. */
const EXPANSION = 4;

export interface BottleneckOptions {
  /** Channels inside; four times as many come out. */
  readonly width: number;
  readonly stride: 1 | 2;
  readonly norms: BatchNormMode;
}

/**
 * relu(shortcut(x) + bn3(conv3(pool(relu(bn2(conv2(relu(bn1(conv1(x))))))))), the pool an average over stride × stride
 * pixels, so that strides are anti-aliased (arXiv:2103.00020 §2.4; OpenAI's clip/model.py, Bottleneck). bn3 starts at
 * scale 0: a block starts as its shortcut. The shortcut is x, or, where shapes change, the same pool, `downsample.0`
 * (1×1) and `downsample.1` (norm).
 *
 * @param x [batch, channels, height, width]
 * @returns [batch, 4·width, height/stride, width/stride]
 */
export function buildBottleneck(
  context: BuildContext,
  x: Value,
  { width, stride, norms }: BottleneckOptions,
): Value {
  const { channels } = checkShapes("encoders-resnet/buildBottleneck", [
    x,
    "x",
    ["batch", "channels", "height", "pixels"],
  ]);
  const pool = (value: Value): Value => (stride > 1 ? avgPool2d(value, stride) : value);
  const layer = (value: Value, index: 1 | 2 | 3): Value =>
    buildConvNorm(context, value, {
      names: [`conv${index}`, `bn${index}`],
      outChannels: index === 3 ? EXPANSION * width : width,
      kernel: index === 2 ? 3 : 1,
      norms,
      ...(index === 3 ? { scaleInit: zeros } : {}),
    });
  const residual = layer(pool(relu(layer(relu(layer(x, 1)), 2))), 3);
  const shortcut =
    stride === 1 && channels === EXPANSION * width
      ? x
      : buildConvNorm(inScope(context, "downsample"), pool(x), {
          names: ["0", "1"],
          outChannels: EXPANSION * width,
          kernel: 1,
          norms,
        });
  return relu(add(residual, shortcut));
}
