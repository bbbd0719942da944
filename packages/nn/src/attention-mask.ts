/** Which key each query may attend to, as booleans (true = attend). */
import { and, iota, lessEqual, reshape, shapeOf, type Dim, type Value } from "@diptych/core";

export interface AttentionMaskOptions {
  readonly tokens: Dim;
  readonly causal: boolean;
  /** bool [batch, tokens] */
  readonly keep?: Value;
}

/** bool, broadcastable to [batch, heads, queries, keys]; undefined where every token sees every token. */
export function attentionMask({ tokens, causal, keep }: AttentionMaskOptions): Value | undefined {
  const before = causal ? causalMask(tokens) : undefined;
  if (!keep) return before;
  const [batch = 1] = shapeOf(keep);
  const kept = reshape(keep, [batch, 1, 1, tokens]);
  return before ? and(before, kept) : kept;
}

/** bool [tokens, tokens]: query i sees keys 0…i. */
export function causalMask(tokens: Dim): Value {
  const position = iota(tokens);
  return lessEqual(reshape(position, [1, tokens]), reshape(position, [tokens, 1]));
}
