/** Attention probabilities as a value of their own: what `attention` hides, computed only in graphs that ask for it. */
import { exp, matmul, mul, reshape, shapeOf, sub, type Value } from "@diptych/core";

/**
 * exp(scale·query·keyᵀ − logSumExp): the softmax of the scores from the log-sum-exp that `attention` returns, for those
 * who look inside a model. Nothing else reads it, so a graph without it as an output computes nothing more. Where a mask
 * hides keys, the entries there are meaningless: set them to 0.
 *
 * @param query [batch, heads, queries, headDim]; `key` [batch, heads, keys, headDim]; `logSumExp` [batch, heads, queries].
 * @returns [batch, heads, queries, keys], rows that sum to 1.
 */
export function attentionProbabilities(
  query: Value,
  key: Value,
  { scale, logSumExp }: { readonly scale: number; readonly logSumExp: Value },
): Value {
  const scores = mul(matmul(query, key, { transposeB: true }), scale);
  return exp(sub(scores, reshape(logSumExp, [...shapeOf(logSumExp), 1])));
}
