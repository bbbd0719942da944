/** Multi-head self-attention with PyTorch's fused parameters: `in_proj_weight` [3·width, width] (rows q, k, v), `in_proj_bias`, `out_proj.*`. */
import {
  attention,
  checkShapes,
  reshape,
  select,
  slice,
  transpose,
  xavierUniform,
  zeros,
  type BuildContext,
  type Initializer,
  type Value,
} from "@diptych/core";
import { attentionMask } from "./attention-mask.js";
import { attentionProbabilities } from "./attention-probabilities.js";
import { headSize, joinHeads } from "./heads.js";
import { inScope } from "./in-scope.js";
import { applyLinear, buildLinear, lastSize } from "./linear.js";

export interface SelfAttentionOptions {
  readonly heads: number;
  /** Each token sees itself and those before it. */
  readonly causal?: boolean;
  /** bool [batch, tokens]: which tokens may be attended to; all without it. */
  readonly keep?: Value;
  /** Xavier-uniform over [3·width, width] by default, as PyTorch. */
  readonly inputInit?: Initializer;
  /** U(±1/√width) by default, as PyTorch. */
  readonly outputInit?: Initializer;
}

export interface SelfAttentionOutput {
  /** [batch, tokens, width] */
  readonly output: Value;
  /** Attention probabilities [batch, heads, queries, keys]; computed only in graphs that ask for them. */
  readonly probabilities: Value;
}

/**
 * Self-attention (arXiv:1706.03762 §3.2): softmax(q·kᵀ/√headDim)·v per head, then one linear layer.
 *
 * @param x [batch, tokens, width]
 * @throws ShapeError where `heads` does not divide the width.
 */
export function buildSelfAttention(
  context: BuildContext,
  x: Value,
  { heads, causal = false, keep, inputInit, outputInit }: SelfAttentionOptions,
): SelfAttentionOutput {
  const { batch, tokens } = checkShapes("nn/buildSelfAttention", [
    x,
    "x",
    ["batch", "tokens", "width"],
  ]);
  const width = lastSize(x, "nn/buildSelfAttention");
  const headDim = headSize(width, heads, "nn/buildSelfAttention");
  const { scope } = context;
  const weight = scope.parameter("in_proj_weight", [3 * width, width], {
    initializer: inputInit ?? xavierUniform(width, 3 * width),
  });
  const bias = scope.parameter("in_proj_bias", [3 * width], { initializer: zeros });
  // One product for q, k and v and one transpose to [3, batch, heads, tokens, headDim], whose parts are contiguous.
  const fused = reshape(applyLinear(x, weight, bias), [batch, tokens, 3, heads, headDim]);
  const parts = transpose(fused, [2, 0, 3, 1, 4]);
  const part = (i: number): Value =>
    reshape(slice(parts, [i, 0, 0, 0, 0], [1, batch, heads, tokens, headDim]), [
      batch,
      heads,
      tokens,
      headDim,
    ]);
  const [query, key, value] = [part(0), part(1), part(2)];
  const scale = 1 / Math.sqrt(headDim);
  const mask = keep ? reshape(keep, [batch, 1, 1, tokens]) : undefined;
  const attended = attention(query, key, value, { scale, causal, ...(mask ? { mask } : {}) });
  const output = buildLinear(inScope(context, "out_proj"), joinHeads(attended.output), {
    outFeatures: width,
    biasInit: zeros,
    ...(outputInit ? { weightInit: outputInit } : {}),
  });
  const probabilities = attentionProbabilities(query, key, {
    scale,
    logSumExp: attended.logSumExp,
  });
  const seen = attentionMask({ tokens, causal, ...(keep ? { keep } : {}) });
  return { output, probabilities: seen ? select(seen, probabilities, 0) : probabilities };
}
