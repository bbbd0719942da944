/** A pre-norm block that attends over another sequence, with open_clip's names: ln_1, ln_1_kv, attn, ln_2, mlp. */
import { add, type BuildContext, type Value } from "@diptych/core";
import type { Activation } from "./activation.js";
import { buildCrossAttention } from "./cross-attention.js";
import { inScope, within } from "./in-scope.js";
import { buildLayerNorm, LAYER_NORM_EPSILON } from "./layer-norm.js";
import { lastSize } from "./linear.js";
import { buildMlp } from "./mlp.js";
import type { BlockInit } from "./transformer-block.js";

export interface CrossBlockOptions {
  readonly heads: number;
  /** 4·width by default. */
  readonly mlpDim?: number;
  readonly activation?: Activation;
  readonly normEpsilon?: number;
  readonly init?: BlockInit;
}

/**
 * x + attn(ln_1(x), ln_1_kv(memory)), then y + mlp(ln_2(y)) (open_clip's ResidualAttentionBlock with cross-attention).
 *
 * @param x [batch, queries, width]; `memory` [batch, keys, memoryWidth].
 * @returns [batch, queries, width]
 */
export function buildCrossAttentionBlock(
  context: BuildContext,
  { x, memory }: { readonly x: Value; readonly memory: Value },
  { heads, mlpDim, activation = "gelu", normEpsilon, init = {} }: CrossBlockOptions,
): Value {
  const norm = { epsilon: normEpsilon ?? LAYER_NORM_EPSILON };
  const normed = {
    x: buildLayerNorm(inScope(context, "ln_1"), x, norm),
    memory: buildLayerNorm(inScope(context, "ln_1_kv"), memory, norm),
  };
  const attended = within(context, "attn", (inner) =>
    buildCrossAttention(inner, normed, {
      heads,
      ...(init.attentionInput ? { inputInit: init.attentionInput } : {}),
      ...(init.attentionOutput ? { outputInit: init.attentionOutput } : {}),
    }),
  );
  const seen = add(x, attended);
  const mlpInput = buildLayerNorm(inScope(context, "ln_2"), seen, norm);
  const transformed = within(context, "mlp", (inner) =>
    buildMlp(inner, mlpInput, {
      mlpDim: mlpDim ?? 4 * lastSize(x, "nn/buildCrossAttentionBlock"),
      activation,
      ...(init.mlpHidden ? { hiddenInit: init.mlpHidden } : {}),
      ...(init.mlpOutput ? { outputInit: init.mlpOutput } : {}),
    }),
  );
  return add(seen, transformed);
}
