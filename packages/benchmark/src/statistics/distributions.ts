/** Quantiles and tails of distributions that the tests rest on; the one file that knows jstat. */
import jstat from "jstat";

const { jStat } = jstat;

/** Beyond this Student's distribution is the normal one to more digits than are ever shown. */
const MANY_DEGREES = 1e6;

/**
 * Quantile of Student's t distribution.
 *
 * @param probability In (0, 1).
 * @param degreesOfFreedom At least 1, whole or not; Infinity is the normal distribution.
 */
export function studentQuantile(probability: number, degreesOfFreedom: number): number {
  return degreesOfFreedom > MANY_DEGREES
    ? jStat.normal.inv(probability, 0, 1)
    : jStat.studentt.inv(probability, degreesOfFreedom);
}

/** Quantile of the beta distribution; `alpha` and `beta` above 0. */
export function betaQuantile(probability: number, alpha: number, beta: number): number {
  return jStat.beta.inv(probability, alpha, beta);
}

/** Two-sided p of `successes` among `trials` fair coins: all outcomes as unlikely as this one or more so. */
export function fairCoinTails(successes: number, trials: number): number {
  const rarer = Math.min(successes, trials - successes);
  if (2 * rarer === trials) return 1;
  let tail = 0;
  for (let k = 0; k <= rarer; k++) tail += Math.exp(logChoose(trials, k) - trials * Math.LN2);
  return Math.min(1, 2 * tail);
}

function logChoose(n: number, k: number): number {
  return jStat.gammaln(n + 1) - jStat.gammaln(k + 1) - jStat.gammaln(n - k + 1);
}
