/** How much less data a method needs: pictures until it is as good as another was in the end (figure 2 of arXiv:2103.00020). */
import type { Comparison, CurvePoint } from "../comparison.js";

export interface Efficiency {
  readonly method: string;
  /** Pictures, by seed in the order of the runs, until the target was reached; null where it was not. */
  readonly samples: readonly (number | null)[];
  /** Mean over seeds; null where a seed did not reach it. */
  readonly mean: number | null;
  /** The other's pictures ÷ this method's; null where `mean` is. */
  readonly factor: number | null;
}

export interface EfficiencyTable {
  /** `task/metric`. */
  readonly value: string;
  /** Whose final mean is the target. */
  readonly reference: string;
  readonly target: number;
  readonly methods: readonly Efficiency[];
}

/**
 * Pictures that each method needs to come to the mean that `reference` had at its end, on straight lines between the
 * points of its curve (a curve begins at 0 pictures with 0). A curve that dips below the target again has reached it.
 *
 * @param value `task/metric`, as the curves name it.
 */
export function dataEfficiency(
  { runs, methods }: Pick<Comparison, "runs" | "methods">,
  value: string,
  reference: string,
): EfficiencyTable {
  const ends = runs
    .filter(({ method }) => method === reference)
    .flatMap(({ curve }) => pointsOf(curve, value).at(-1) ?? []);
  const target = mean(ends.map((point) => point.value));
  const spent = mean(ends.map((point) => point.samples));
  return {
    value,
    reference,
    target,
    methods: methods.map((method) => {
      const samples = runs
        .filter((run) => run.method === method && run.curve.length > 0)
        .map(({ curve }) => samplesUntil(pointsOf(curve, value), target));
      const reached = samples.filter((one) => one !== null);
      const all = reached.length === samples.length && samples.length > 0;
      const average = all ? mean(reached) : null;
      return { method, samples, mean: average, factor: average === null ? null : spent / average };
    }),
  };
}

interface Point {
  readonly samples: number;
  readonly value: number;
}

function pointsOf(curve: readonly CurvePoint[], name: string): readonly Point[] {
  return curve.flatMap(({ samples, values }) => {
    const value = values[name];
    return value === undefined ? [] : [{ samples, value }];
  });
}

function samplesUntil(points: readonly Point[], target: number): number | null {
  let before: Point = { samples: 0, value: 0 };
  for (const point of points) {
    if (point.value >= target) {
      const rise = point.value - before.value;
      const share = rise > 0 ? Math.max(0, (target - before.value) / rise) : 1;
      return before.samples + share * (point.samples - before.samples);
    }
    before = point;
  }
  return null;
}

function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}
