/** open_clip's attentional pooler (CoCa, arXiv:2205.01917 §3.2): learned queries attend over all tokens. */
import {
  attention,
  broadcast,
  checkShapes,
  normal,
  reshape,
  sliceAxis,
  zeros,
  type BuildContext,
  type Value,
} from "@diptych/core";
import { declareAttentionInputs } from "./attention-inputs.js";
import { attentionProbabilities } from "./attention-probabilities.js";
import { headSize, joinHeads, splitHeads } from "./heads.js";
import { inScope } from "./in-scope.js";
import { applyLayerNorm, buildLayerNorm, declareLayerNorm } from "./layer-norm.js";
import { applyLinear, declareLinear, lastSize } from "./linear.js";

export interface AttentionalPoolerOptions {
  /** Number of learned queries. */
  readonly queries: number;
  /** Width of the queries and of what they return. */
  readonly width: number;
  /** Divides the width. */
  readonly heads: number;
  readonly normEpsilon?: number;
}

export interface AttentionalPoolerOutput {
  /** What every query returns: [batch, queries, width]. */
  readonly output: Value;
  /** What the first query returns, computed without the others: [batch, width]. */
  readonly first: Value;
  /** [batch, heads, queries, tokens]; computed only in graphs that ask for it. */
  readonly probabilities: Value;
}

/**
 * out_proj(attention(ln_q(query), ln_k(x), ln_k(x))) with open_clip's names (transformer.py, AttentionalPooler): `query`
 * [queries, width] (N(0, 1)), `ln_q.*`, `ln_k.*`, `attn.in_proj_weight` [3·width, width], or, where tokens have another
 * width, `attn.{q,k,v}_proj_weight`; `attn.in_proj_bias` [3·width], `attn.out_proj.*`.
 *
 * @param x [batch, tokens, tokenWidth]
 * @throws ShapeError where `heads` does not divide `width`.
 */
export function buildAttentionalPooler(
  context: BuildContext,
  x: Value,
  { queries, width, heads, normEpsilon }: AttentionalPoolerOptions,
): AttentionalPoolerOutput {
  const what = "nn/buildAttentionalPooler";
  const { batch } = checkShapes(what, [x, "x", ["batch", "tokens", "tokenWidth"]]);
  const scale = headSize(width, heads, what) ** -0.5;
  const query = context.scope.parameter("query", [queries, width], { initializer: normal(1) });
  const norm = declareLayerNorm(inScope(context, "ln_q"), width, normEpsilon);
  const normed = buildLayerNorm(inScope(context, "ln_k"), x, { epsilon: normEpsilon });
  const attn = inScope(context, "attn");
  const project = declareAttentionInputs(attn, { width, memoryWidth: lastSize(x, what) });
  const last = declareLinear(inScope(attn, "out_proj"), width, {
    outFeatures: width,
    biasInit: zeros,
  });
  const key = splitHeads(project(normed, 1), heads);
  const value = splitHeads(project(normed, 2), heads);
  const ask = (rows: Value, count: number) => {
    const asked = project(applyLayerNorm(rows, norm), 0);
    const everywhere = splitHeads(broadcast(asked, [batch, count, width]), heads);
    const { output, logSumExp } = attention(everywhere, key, value, { scale });
    return {
      output: applyLinear(joinHeads(output), last.weight, last.bias),
      probabilities: attentionProbabilities(everywhere, key, { scale, logSumExp }),
    };
  };
  const all = ask(query, queries);
  const first = ask(sliceAxis(query, 0, 0, 1), 1);
  return { ...all, first: reshape(first.output, [batch, width]) };
}
