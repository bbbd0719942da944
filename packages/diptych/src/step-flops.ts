/** What one training step costs in floating-point operations, so that two methods can be given equal budgets. */
import { countFlops } from "@diptych/core/backend";
import type { TrainStep } from "@diptych/training";

/**
 * Floating-point operations of the matrix products and convolutions of one step, a multiply-add counted as two: forward
 * and backward parts and the update, at the sizes that the step is bound to, padding of texts included. Counted on the
 * step's own graphs before a backend rewrites them, where the field multiplies the forward pass by three
 * ({@link countFlops}): inputs and frozen weights have no gradients to compute, and attention's gradient computes its
 * probabilities again.
 *
 * @throws ShapeError on a step whose symbols are not bound.
 */
export function stepFlops(step: TrainStep): number {
  return countFlops(step.gradient) + countFlops(step.update);
}
