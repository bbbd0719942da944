/** Cross-entropy against several positives, which share one softmax or compete with the negatives each for itself. */
import {
  cast,
  checkShapes,
  div,
  greater,
  logSoftmax,
  logSumExp,
  max,
  mul,
  neg,
  select,
  softplus,
  sub,
  sum,
  type Value,
} from "@diptych/core";

/**
 * −mean over rows of the mean over a row's positives of log softmax(logits): the cross-entropy against the uniform
 * distribution over positives. Rows without positives are left out of the mean; 0 when there are none at all.
 *
 * With one positive a row this is PyTorch's `cross_entropy`. Finite for any finite logits.
 *
 * @param logits [rows, columns]; `positives` bool of the same shape.
 * @param axis Along which the softmax runs: 1 for each row, 0 for each column.
 * @returns scalar
 */
export function buildPositivesCrossEntropy(logits: Value, positives: Value, axis: 0 | 1): Value {
  checkShapes(
    "losses/buildPositivesCrossEntropy",
    [logits, "logits", ["rows", "columns"]],
    [positives, "positives", ["rows", "columns"]],
  );
  const weights = cast(positives, "float32");
  const counts = sum(weights, { axes: [axis] });
  const logProbabilities = logSoftmax(logits, axis);
  const perRow = div(sum(mul(weights, logProbabilities), { axes: [axis] }), max(counts, 1));
  return neg(meanOfRowsWithPositives(perRow, counts));
}

/**
 * Mean over rows of the mean over a row's positives p of −log( exp(l_p) / (exp(l_p) + Σ_negatives exp(l)) ) =
 * softplus(log Σ_negatives exp(l) − l_p). Rows without positives are left out; 0 for a row without negatives.
 *
 * With one positive a row this is PyTorch's `cross_entropy`. Finite for any finite logits.
 *
 * @param logits [rows, columns]; `positives` bool of the same shape.
 * @param axis Along which a positive's negatives lie: 1 for each row, 0 for each column.
 * @returns scalar
 */
export function buildPositivesApart(logits: Value, positives: Value, axis: 0 | 1): Value {
  checkShapes(
    "losses/buildPositivesApart",
    [logits, "logits", ["rows", "columns"]],
    [positives, "positives", ["rows", "columns"]],
  );
  const weights = cast(positives, "float32");
  const counts = sum(weights, { axes: [axis] });
  const negatives = logSumExp(select(positives, EXCLUDED, logits), { axis, keepDims: true });
  const each = mul(weights, softplus(sub(negatives, logits)));
  return meanOfRowsWithPositives(div(sum(each, { axes: [axis] }), max(counts, 1)), counts);
}

/** Below any logit by so much that its exponential is 0, and finite, so that a row of it alone has no NaN. */
const EXCLUDED = -1e30;

function meanOfRowsWithPositives(perRow: Value, counts: Value): Value {
  const rows = sum(cast(greater(counts, 0), "float32"));
  return div(sum(perRow), max(rows, 1));
}
