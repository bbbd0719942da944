/** A pre-norm block that attends over another sequence, with open_clip's names: ln_1, ln_1_kv, attn, ln_2, mlp. */
import { add, type BuildContext, type Value } from "@diptych/core";
import { buildCrossAttention } from "./cross-attention.js";
import { inScope, within } from "./in-scope.js";
import { buildLayerNorm } from "./layer-norm.js";
import { buildMlpBranch, type BlockOptions } from "./transformer-block.js";

export type CrossBlockOptions = Pick<
  BlockOptions,
  "heads" | "mlpDim" | "activation" | "normEpsilon" | "init"
>;

/**
 * x + attn(ln_1(x), ln_1_kv(memory)), then y + mlp(ln_2(y)) (open_clip's ResidualAttentionBlock with cross-attention).
 *
 * @param x [batch, queries, width]; `memory` [batch, keys, memoryWidth].
 * @returns [batch, queries, width]
 */
export function buildCrossAttentionBlock(
  context: BuildContext,
  { x, memory }: { readonly x: Value; readonly memory: Value },
  options: CrossBlockOptions,
): Value {
  const { heads, normEpsilon: epsilon, init = {} } = options;
  const normed = {
    x: buildLayerNorm(inScope(context, "ln_1"), x, { epsilon }),
    memory: buildLayerNorm(inScope(context, "ln_1_kv"), memory, { epsilon }),
  };
  const attended = within(context, "attn", (inner) =>
    buildCrossAttention(inner, normed, {
      heads,
      ...(init.attentionInput ? { inputInit: init.attentionInput } : {}),
      ...(init.attentionOutput ? { outputInit: init.attentionOutput } : {}),
    }),
  );
  const seen = add(x, attended);
  return add(seen, buildMlpBranch(context, seen, options));
}
