/** Cross-entropy against several positives. */
import {
  cast,
  checkShapes,
  div,
  greater,
  logSoftmax,
  max,
  mul,
  neg,
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
  const rows = sum(cast(greater(counts, 0), "float32"));
  return neg(div(sum(perRow), max(rows, 1)));
}
