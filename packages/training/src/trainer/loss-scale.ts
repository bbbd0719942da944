/**
 * Dynamic loss scaling for float16, whose smallest numbers many gradients fall below: the loss is multiplied before it is
 * differentiated and the gradients are divided after (Micikevicius et al. 2018, arXiv:1710.03740, section 3.2). The rule
 * is that of torch.amp.GradScaler: a step that overflows is skipped and halves the scale; 2,000 steps in a row that do not
 * double it.
 */

export interface LossScale {
  /** A power of two: multiplying by it rounds nothing. */
  readonly scale: number;
  /** Steps without overflow since the scale last changed. */
  readonly good: number;
}

const GROWTH_INTERVAL = 2000;
const FACTOR = 2;

export const INITIAL_LOSS_SCALE: LossScale = Object.freeze({ scale: 2 ** 16, good: 0 });

/** Below it a loss that is not finite is no overflow of the scaled gradients. */
export const LEAST_LOSS_SCALE = 1;

/** The scale after a step. */
export function nextLossScale({ scale, good }: LossScale, finite: boolean): LossScale {
  if (!finite) return Object.freeze({ scale: scale / FACTOR, good: 0 });
  const grown = good + 1 === GROWTH_INTERVAL;
  return Object.freeze({ scale: grown ? scale * FACTOR : scale, good: grown ? 0 : good + 1 });
}
