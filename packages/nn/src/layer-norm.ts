/** Layer norm with PyTorch's parameters: `weight` and `bias` [width]. */
import { layerNorm, ones, zeros, type BuildContext, type Value } from "@diptych/core";
import { lastSize } from "./linear.js";

/** PyTorch's default, which CLIP uses (SigLIP's text tower: 1e-6). */
export const LAYER_NORM_EPSILON = 1e-5;

/** Scale and bias of one layer norm, to apply at several places. */
export interface LayerNormWeights {
  readonly scale: Value;
  readonly bias: Value;
  readonly epsilon: number;
}

/** Declares `weight` (ones) and `bias` (zeros) of `width`. */
export function declareLayerNorm(
  { scope }: BuildContext,
  width: number,
  epsilon: number = LAYER_NORM_EPSILON,
): LayerNormWeights {
  return {
    scale: scope.parameter("weight", [width], { initializer: ones }),
    bias: scope.parameter("bias", [width], { initializer: zeros }),
    epsilon,
  };
}

/** (x − mean)/√(variance + ε)·scale + bias over the last axis (biased variance; arXiv:1607.06450). */
export function applyLayerNorm(x: Value, { scale, bias, epsilon }: LayerNormWeights): Value {
  return layerNorm(x, scale, bias, { epsilon }).output;
}

/**
 * A layer norm of its own over the last axis of x [..., width] → the same shape.
 *
 * @throws ShapeError where width is symbolic.
 */
export function buildLayerNorm(
  context: BuildContext,
  x: Value,
  { epsilon = LAYER_NORM_EPSILON }: { readonly epsilon?: number | undefined } = {},
): Value {
  const width = lastSize(x, "nn/buildLayerNorm");
  return applyLayerNorm(x, declareLayerNorm(context, width, epsilon));
}
