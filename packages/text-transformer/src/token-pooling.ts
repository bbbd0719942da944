/** Which token speaks for a text, and which tokens belong to it. */
import {
  argmax,
  cast,
  checkShapes,
  div,
  equal,
  iota,
  lessEqual,
  max,
  mul,
  not,
  reshape,
  sum,
  type Value,
} from "@diptych/core";

/**
 * Position of the first end-of-text token: int32 ids [batch, tokens] → int32 [batch].
 *
 * End-of-text is the largest id of CLIP's vocabulary, so without `eosId` this is the first position of the maximum
 * (clip/model.py `text.argmax`): a text without one is read at its largest id, as CLIP does. With `eosId` it is the
 * first position of that id, or 0 (open_clip's pool_type eos).
 */
export function endOfTextPosition(ids: Value, eosId?: number): Value {
  checkShapes("text-transformer/endOfTextPosition", [ids, "ids", ["batch", "tokens"]]);
  return argmax(eosId === undefined ? ids : cast(equal(ids, eosId), "int32"), 1);
}

/** bool [batch, tokens]: positions up to and including `last` [batch]. */
export function keepUntil(ids: Value, last: Value): Value {
  const { batch, tokens } = checkShapes("text-transformer/keepUntil", [
    ids,
    "ids",
    ["batch", "tokens"],
  ]);
  return lessEqual(reshape(iota(tokens), [1, tokens]), reshape(last, [batch, 1]));
}

/** bool [batch, tokens]: ids other than `padId`. */
export function keepOtherThan(ids: Value, padId: number): Value {
  return not(equal(ids, padId));
}

/**
 * Mean over the kept tokens: x [batch, tokens, width], keep bool [batch, tokens] → [batch, width]; zeros for a text
 * that keeps none.
 */
export function meanOfKept(x: Value, keep: Value): Value {
  const { batch, tokens } = checkShapes(
    "text-transformer/meanOfKept",
    [x, "x", ["batch", "tokens", "width"]],
    [keep, "keep", ["batch", "tokens"]],
  );
  const weights = cast(keep, "float32");
  const total = sum(mul(x, reshape(weights, [batch, tokens, 1])), { axes: [1] });
  const count = sum(weights, { axes: [1], keepDims: true });
  return div(total, max(count, 1));
}
