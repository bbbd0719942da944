/** Cross-entropy against several positives, which share one softmax or compete with the negatives each for itself. */
import {
  add,
  and,
  cast,
  checkShapes,
  countTrue,
  dimSize,
  div,
  greater,
  logSoftmax,
  logSumExp,
  max,
  mul,
  neg,
  not,
  select,
  shapeOf,
  softplus,
  sub,
  sum,
  type Value,
} from "@diptych/core";
import type { Pairs } from "./similarity.js";

export interface CrossEntropyOptions {
  /** Along which the softmax runs: 1 for each row, 0 for each column. */
  readonly axis: 0 | 1;
  /** Share ε of each target that is spread evenly over all that the softmax runs over; 0 by default. */
  readonly labelSmoothing?: number;
}

/** Below any logit by so much that its exponential is 0, and finite, so that a row of it alone has no NaN. */
const EXCLUDED = -1e30;

/**
 * −mean over rows of Σⱼ tⱼ log softmax(logits)ⱼ, t = (1 − ε)·uniform over the row's positives + ε·uniform over all that
 * are compared. Pairs that are not compared are no part of the softmax. Rows without positives are left out of the mean;
 * 0 when there are none at all.
 *
 * With one positive a row this is PyTorch's `cross_entropy(label_smoothing=ε)` (Szegedy et al. 2016, arXiv:1512.00567
 * §7). Finite for any finite logits.
 *
 * @returns scalar
 */
export function buildPositivesCrossEntropy(pairs: Pairs, options: CrossEntropyOptions): Value {
  checkPairs("losses/buildPositivesCrossEntropy", pairs);
  const { axis, labelSmoothing = 0 } = options;
  const { logits, positives, compared } = pairs;
  const logProbabilities = logSoftmax(compared ? select(compared, logits, EXCLUDED) : logits, axis);
  const counts = countAlong(positives, axis);
  const ofPositives = div(
    sum(select(positives, logProbabilities, 0), { axes: [axis] }),
    max(counts, 1),
  );
  if (labelSmoothing === 0) return neg(meanOfRowsWithPositives(ofPositives, counts));
  const all = compared ? select(compared, logProbabilities, 0) : logProbabilities;
  const ofAll = div(sum(all, { axes: [axis] }), max(countCompared(pairs, axis), 1));
  const smoothed = add(mul(ofPositives, 1 - labelSmoothing), mul(ofAll, labelSmoothing));
  return neg(meanOfRowsWithPositives(smoothed, counts));
}

/**
 * Mean over rows of the mean over a row's positives p of −log( exp(l_p) / (exp(l_p) + Σ_negatives exp(l)) ) =
 * softplus(log Σ_negatives exp(l) − l_p). With label smoothing the cross-entropy of that softmax over p and the n
 * negatives against (1 − ε)·(p alone) + ε·uniform, which adds ε·(n·l_p − Σ_negatives l)/(n + 1). Rows without positives
 * are left out; 0 for a row without negatives.
 *
 * With one positive a row this is PyTorch's `cross_entropy`. Finite for any finite logits.
 *
 * @returns scalar
 */
export function buildPositivesApart(pairs: Pairs, options: CrossEntropyOptions): Value {
  checkPairs("losses/buildPositivesApart", pairs);
  const { axis, labelSmoothing = 0 } = options;
  const { logits, positives } = pairs;
  const negatives = negativesOf(pairs);
  const against = logSumExp(select(negatives, logits, EXCLUDED), { axis, keepDims: true });
  const alone = softplus(sub(against, logits));
  const each =
    labelSmoothing === 0
      ? alone
      : add(alone, mul(smoothingApart(logits, negatives, axis), labelSmoothing));
  return buildMeanOfPositives(each, positives, axis);
}

/** (n·l − Σ_negatives l)/(n + 1) for each l. */
function smoothingApart(logits: Value, negatives: Value, axis: 0 | 1): Value {
  const along = { axes: [axis], keepDims: true };
  const count = countTrue(negatives, along);
  const total = sum(select(negatives, logits, 0), along);
  return div(sub(mul(count, logits), total), add(count, 1));
}

/**
 * The mean over rows of the mean of `each` over the row's positives; rows without any are left out, 0 without any row.
 *
 * @param each [rows, columns], finite everywhere.
 */
export function buildMeanOfPositives(each: Value, positives: Value, axis: 0 | 1): Value {
  const counts = countAlong(positives, axis);
  const perRow = div(sum(select(positives, each, 0), { axes: [axis] }), max(counts, 1));
  return meanOfRowsWithPositives(perRow, counts);
}

/** bool [rows, columns]: compared, and not positive. */
export function negativesOf({ positives, compared }: Pairs): Value {
  return compared ? and(compared, not(positives)) : not(positives);
}

function checkPairs(where: string, { logits, positives }: Pairs): void {
  checkShapes(
    where,
    [logits, "logits", ["rows", "columns"]],
    [positives, "positives", ["rows", "columns"]],
  );
}

function countAlong(mask: Value, axis: 0 | 1): Value {
  return countTrue(mask, { axes: [axis] });
}

/** How many outcomes each softmax has: one number, or one a row where some pairs are left out. */
function countCompared({ logits, compared }: Pairs, axis: 0 | 1): Value {
  if (compared) return countAlong(compared, axis);
  return cast(dimSize(shapeOf(logits)[axis] ?? 1), "float32");
}

function meanOfRowsWithPositives(perRow: Value, counts: Value): Value {
  const has = greater(counts, 0);
  return div(sum(select(has, perRow, 0)), max(countTrue(has), 1));
}
