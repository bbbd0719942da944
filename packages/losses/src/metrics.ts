/** Cheap measures of a batch, to log beside the loss. */
import {
  argmax,
  cast,
  div,
  exp,
  max,
  mean,
  mul,
  neg,
  reshape,
  shapeOf,
  sum,
  takeAlong,
  type Value,
} from "@diptych/core";
import type { Pairs } from "./similarity.js";

/** Share of rows whose most similar column is a positive; rows without positives count as misses. Scalar. */
export function buildAccuracy({ logits, positives }: Pairs): Value {
  const [rows = 1] = shapeOf(logits);
  const best = reshape(argmax(logits, 1), [rows, 1]);
  return mean(takeAlong(cast(positives, "float32"), best, 1));
}

/** Mean cosine of the positive pairs, from logits without bias; 0 where there are none. Scalar. */
export function buildPositiveSimilarity({ logits, positives }: Pairs, logitScale: Value): Value {
  const weights = cast(positives, "float32");
  const total = div(sum(mul(weights, logits)), max(sum(weights), 1));
  return mul(total, exp(neg(logitScale)));
}
