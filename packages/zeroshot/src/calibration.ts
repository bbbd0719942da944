/** Calibration: whether a confidence of 80 % is right 80 times of 100. */
import type { Metric } from "@diptych/core";

export interface CalibrationOptions {
  /** Bins of equal width; 15 by default (Guo et al.). */
  readonly bins?: number | undefined;
  /** Classes that each item chose among. */
  readonly candidates: number;
}

/**
 * Expected calibration error: Σₘ nₘ/n · |share right in bin m − mean confidence in bin m|, bin m holding the confidences
 * in ((m−1)/M, m/M], and 0 the first one (Guo et al. 2017, arXiv:1706.04599, eq. 3). torchmetrics puts a confidence that
 * lies exactly on a border into the bin above.
 *
 * @param confidences Of the guessed class, in [0, 1]; items with NaN have no confidence and are left out.
 * @param right 1 where the guess is right, else 0.
 */
export function calibrationError(
  confidences: readonly number[],
  right: readonly number[],
  { bins = 15, candidates }: CalibrationOptions,
): Metric {
  const sums = Array.from({ length: bins }, () => ({ confidence: 0, right: 0 }));
  let queries = 0;
  confidences.forEach((confidence, i) => {
    const bin = sums[binOf(confidence, bins)];
    if (!bin) return;
    bin.confidence += confidence;
    bin.right += right[i] ?? 0;
    queries += 1;
  });
  const error = sums.reduce((total, bin) => total + Math.abs(bin.right - bin.confidence), 0);
  return Object.freeze({ value: error / queries, queries, candidates });
}

/** Of a NaN: no bin. The borders are m/M as computed, which a product with M may miss by one rounding. */
function binOf(confidence: number, bins: number): number {
  const near = Math.min(bins - 1, Math.max(0, Math.ceil(confidence * bins) - 1));
  if (near > 0 && confidence <= near / bins) return near - 1;
  if (near + 1 < bins && confidence > (near + 1) / bins) return near + 1;
  return near;
}

export interface Guess {
  /** The best scoring class; -1 where no score is a number. */
  readonly guess: number;
  /** Its softmax probability; NaN where a score is NaN. */
  readonly confidence: number;
}

/**
 * The class of the highest score and its probability softmax(scale · scores). A tie with the right class counts against
 * the query, as in `rankOfBest`: the guess is then the first of the others.
 *
 * @param right Classes that are right answers.
 */
export function guessOf(scores: Float64Array, right: ReadonlySet<number>, scale: number): Guess {
  let guess = -1;
  let best = -Infinity;
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] ?? NaN;
    if (Number.isNaN(score) || score < best) continue;
    if (score > best || guess < 0 || (right.has(guess) && !right.has(i))) {
      guess = i;
      best = score;
    }
  }
  let total = 0;
  for (const score of scores) total += Math.exp((score - best) * scale);
  return { guess, confidence: 1 / total };
}
