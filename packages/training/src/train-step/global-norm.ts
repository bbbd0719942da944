/** The global L2 norm of the gradients, and the factor that clips them to it. */
import {
  add,
  concat,
  div,
  less,
  mul,
  rankOf,
  reshape,
  scalar,
  select,
  sqrt,
  sum,
  type Value,
} from "@diptych/core";

/** Σx². Matrices are summed by rows first: a float32 sum of millions of terms in one go would lose digits. */
function sumOfSquares(x: Value): Value {
  const squares = mul(x, x);
  const rows = rankOf(x) > 1 ? sum(squares, { axes: [-1] }) : squares;
  return rankOf(x) === 0 ? rows : sum(rows);
}

/**
 * √Σ‖g‖² over all `gradients`, summed per tensor first (float32 scalar). Not finite where any entry is not.
 */
export function globalNorm(gradients: readonly Value[]): Value {
  if (gradients.length === 0) return scalar(0);
  const sums = gradients.map((gradient) => reshape(sumOfSquares(gradient), [1]));
  return sqrt(sum(concat(sums, 0)));
}

/** min(1, clipNorm/(norm + 1e-6)), as torch.nn.utils.clip_grad_norm_. */
export function clipCoefficient(norm: Value, clipNorm: number): Value {
  const coefficient = div(clipNorm, add(norm, 1e-6));
  return select(less(coefficient, 1), coefficient, 1);
}
