/** Cheap measures of a batch, to log beside the loss. */
import {
  argmax,
  cast,
  countTrue,
  dimSize,
  div,
  exp,
  max,
  mul,
  neg,
  reshape,
  select,
  shapeOf,
  sub,
  sum,
  takeAlong,
  type Value,
} from "@diptych/core";
import type { Pairs } from "./similarity.js";

/** Below any logit. */
const NEVER = -1e30;

/** What the measures are made of, as sums over rows, so that chunks of rows can be added up. Scalars. */
export interface MetricSums {
  /** Rows whose most similar column is a positive. */
  readonly hits: Value;
  /** Σ over positives of their logits without bias. */
  readonly positiveLogits: Value;
  readonly positives: Value;
}

/** The sums of all pairs. `bias` is what {@link Pairs.logits} have had added to them. */
export function buildMetricSums({ logits, positives, compared }: Pairs, bias?: Value): MetricSums {
  const [rows = 1] = shapeOf(logits);
  const candidates = compared ? select(compared, logits, NEVER) : logits;
  const best = reshape(argmax(candidates, 1), [rows, 1]);
  const similarities = bias ? sub(logits, bias) : logits;
  return {
    hits: sum(takeAlong(cast(positives, "float32"), best, 1)),
    positiveLogits: sum(select(positives, similarities, 0)),
    positives: countTrue(positives),
  };
}

export interface MetricOptions {
  /** Normalised features of the rows. */
  readonly rows: Value;
  readonly logitScale: Value;
}

/**
 * `accuracy`: share of rows whose most similar column, of those compared, is a positive (rows without positives count as
 * misses). `positiveSimilarity`: mean cosine of the positive pairs; 0 where there are none. Scalars.
 */
export function metricsOf(
  { hits, positiveLogits, positives }: MetricSums,
  { rows, logitScale }: MetricOptions,
): Readonly<Record<"accuracy" | "positiveSimilarity", Value>> {
  return {
    accuracy: div(hits, max(cast(dimSize(shapeOf(rows)[0] ?? 1), "float32"), 1)),
    positiveSimilarity: mul(div(positiveLogits, max(positives, 1)), exp(neg(logitScale))),
  };
}
