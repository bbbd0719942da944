/** A 3×3 or 1×1 convolution without bias and the batch norm after it. */
import type { BuildContext, Initializer, Value } from "@diptych/core";
import { buildBatchNorm, buildConv2d, inScope, type BatchNormMode } from "@diptych/nn";

export interface ConvNormOptions {
  /** Names of the two layers, e.g. `conv1` and `bn1`. */
  readonly names: readonly [conv: string, norm: string];
  readonly outChannels: number;
  readonly kernel: 1 | 3;
  readonly stride?: 1 | 2;
  readonly scaleInit?: Initializer;
  /** How the norm works in training; `batch` by default. */
  readonly norms?: BatchNormMode;
}

/** norm(conv(x)): [batch, channels, height, width] → [batch, outChannels, height/stride, width/stride]. */
export function buildConvNorm(
  context: BuildContext,
  x: Value,
  { names, outChannels, kernel, stride = 1, scaleInit, norms = "batch" }: ConvNormOptions,
): Value {
  const [conv, norm] = names;
  const y = buildConv2d(inScope(context, conv), x, {
    outChannels,
    kernel,
    stride,
    padding: kernel === 3 ? 1 : 0,
  });
  return buildBatchNorm(inScope(context, norm), y, {
    mode: norms,
    ...(scaleInit ? { scaleInit } : {}),
  });
}
