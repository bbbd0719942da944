/** Interval and p of a mean whose variance has two parts with few degrees of freedom (docs/decisions/0017). */
import type { Interval } from "../comparison.js";
import { betaQuantile, studentQuantile } from "./distributions.js";
import type { MeanEstimate } from "./mean-estimate.js";

/** Below this no p is told from 0. */
const LEAST_P = 1e-12;

/**
 * The number q for which mean ± q·√Var is an interval of confidence 1 − α: the mean of two classical approximations.
 *
 * Welch and Satterthwaite's t quantile, with the degrees of freedom of the whole variance, is a little short with three
 * seeds; Cochran's, the quantiles of both parts weighted by their variances, a little long.
 */
function criticalValue(estimate: MeanEstimate, alpha: number): number {
  const { seedVariance, seedDegrees, itemVariance, itemDegrees } = estimate;
  const variance = seedVariance + itemVariance;
  if (variance === 0) return studentQuantile(1 - alpha / 2, Math.min(seedDegrees, itemDegrees));
  const degrees =
    variance ** 2 / (seedVariance ** 2 / seedDegrees + itemVariance ** 2 / itemDegrees);
  const welch = studentQuantile(1 - alpha / 2, degrees);
  const cochran = weighted(
    [seedVariance, () => studentQuantile(1 - alpha / 2, seedDegrees)],
    [itemVariance, () => studentQuantile(1 - alpha / 2, itemDegrees)],
  );
  return (welch + cochran) / 2;
}

function weighted(...parts: readonly (readonly [number, () => number])[]): number {
  let [sum, weights] = [0, 0];
  for (const [weight, value] of parts) {
    if (weight === 0) continue;
    sum += weight * value();
    weights += weight;
  }
  return sum / weights;
}

export interface IntervalOptions {
  /** In (0, 1); 0.95 by default. */
  readonly level?: number;
  /**
   * Whether all outcomes lie in [0, 1], so that the mean does: the interval is then made on the scale of log odds, where
   * it keeps its coverage near 0 and 1 and never leaves [0, 1].
   */
  readonly shares?: boolean;
  /** Whether each outcome is 0 or 1: over the items of one seed the interval is then that of a binomial share. */
  readonly binary?: boolean;
  /** Items behind a mean of exactly 0 or 1, whose upper or lower bound is then the binomial one. */
  readonly items?: number;
}

/** null where nothing can be said: one seed and no outcomes by item. */
export function meanInterval(
  estimate: MeanEstimate,
  { level = 0.95, shares = false, binary = false, items = 0 }: IntervalOptions = {},
): Interval | null {
  const { mean, over } = estimate;
  if (over === null) return null;
  const alpha = 1 - level;
  if (binary && over === "items")
    return Object.freeze({ ...binomialBounds(mean, items, alpha), level, over });
  const half =
    criticalValue(estimate, alpha) * Math.sqrt(estimate.seedVariance + estimate.itemVariance);
  const [low, high] = !shares
    ? [mean - half, mean + half]
    : mean > 0 && mean < 1
      ? logOddsBounds(mean, half)
      : // All right or all wrong: what n equal outcomes leave possible (Clopper and Pearson 1934).
        boundaryBounds(mean, items === 0 ? 0 : 1 - (alpha / 2) ** (1 / items));
  return Object.freeze({ low, high, level, over });
}

/** Jeffreys' interval, from 0 where nothing and to 1 where everything is right (Brown, Cai and DasGupta 2001, §3.1 and 4.1.1). */
function binomialBounds(
  mean: number,
  items: number,
  alpha: number,
): { readonly low: number; readonly high: number } {
  const right = Math.round(mean * items);
  const quantile = (probability: number): number =>
    betaQuantile(probability, right + 0.5, items - right + 0.5);
  return {
    low: right === 0 ? 0 : quantile(alpha / 2),
    high: right === items ? 1 : quantile(1 - alpha / 2),
  };
}

/** The interval of log odds whose half-width is half/(m(1 − m)), by the delta method, brought back. */
function logOddsBounds(mean: number, half: number): readonly [number, number] {
  const odds = Math.log(mean / (1 - mean));
  const reach = half / (mean * (1 - mean));
  return [1 / (1 + Math.exp(reach - odds)), 1 / (1 + Math.exp(-reach - odds))];
}

function boundaryBounds(mean: number, reach: number): readonly [number, number] {
  return mean <= 0 ? [mean, mean + reach] : [mean - reach, mean];
}

/** p of the hypothesis that the mean is 0: 1 − the highest level whose interval (not on log odds) still excludes 0. */
export function meanP(estimate: MeanEstimate): number | null {
  const { mean, seedVariance, itemVariance, over } = estimate;
  if (over === null) return null;
  const variance = seedVariance + itemVariance;
  if (variance === 0) return mean === 0 ? 1 : null;
  const t = Math.abs(mean) / Math.sqrt(variance);
  let [low, high] = [LEAST_P, 1];
  if (criticalValue(estimate, LEAST_P) <= t) return LEAST_P;
  // On a logarithmic scale, so that small p have as many digits as large ones.
  for (let step = 0; step < 60; step++) {
    const middle = Math.sqrt(low * high);
    if (criticalValue(estimate, middle) > t) low = middle;
    else high = middle;
  }
  return Math.sqrt(low * high);
}
