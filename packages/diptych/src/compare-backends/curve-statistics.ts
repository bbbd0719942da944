/** What is compared of two runs: how far their loss curves lie apart, and the time of a step with its spread. */

/** The largest relative difference of two curves, and where it is. */
export interface CurveDifference {
  /** max over steps of |loss − reference| / |reference|. */
  readonly largest: number;
  /** Counted from 0. */
  readonly step: number;
}

/** Below this a loss is nothing to be relative to. */
const SMALLEST = 1e-6;

/** Over the steps that both have; null where there are none. A loss that is no number is infinitely far away. */
export function curveDifference(
  losses: readonly number[],
  reference: readonly number[],
): CurveDifference | null {
  let found: CurveDifference | null = null;
  for (let step = 0; step < Math.min(losses.length, reference.length); step++) {
    const [loss, wanted] = [losses[step]!, reference[step]!];
    const relative = Math.abs(loss - wanted) / Math.max(Math.abs(wanted), SMALLEST);
    const largest = Number.isNaN(relative) ? Infinity : relative;
    if (!found || largest > found.largest) found = { largest, step };
  }
  return found;
}

/** Quartiles of a sample. */
export interface Spread {
  readonly lower: number;
  readonly median: number;
  readonly upper: number;
  readonly count: number;
}

/** Steps at the start that are not timed: libraries allocate, tune and compile in them. */
export function warmupSteps(steps: number): number {
  return Math.min(3, Math.floor(steps / 3));
}

/** Quartiles by linear interpolation; null of nothing. */
export function spreadOf(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => {
    const position = share * (sorted.length - 1);
    const below = sorted[Math.floor(position)]!;
    const above = sorted[Math.ceil(position)]!;
    return below + (above - below) * (position - Math.floor(position));
  };
  return { lower: at(0.25), median: at(0.5), upper: at(0.75), count: sorted.length };
}
