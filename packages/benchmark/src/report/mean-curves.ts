/** Curves of several seeds as one: the mean at each place, with an interval for it. */
import type { CurvePoint, MethodRun } from "../comparison.js";
import { estimateMean } from "../statistics/mean-estimate.js";
import { meanInterval } from "../statistics/mean-interval.js";
import { seedTable } from "../statistics/outcome-table.js";

/** What a curve is drawn against. */
export const CURVE_AXES = ["samples", "flops", "seconds"] as const;
export type CurveAxis = (typeof CURVE_AXES)[number];

export interface MeanPoint {
  readonly x: number;
  readonly mean: number;
  /** Of the mean; equal to it where there is one seed only. */
  readonly low: number;
  readonly high: number;
}

export interface MeanCurve {
  readonly method: string;
  readonly seeds: number;
  readonly points: readonly MeanPoint[];
}

export interface MeanCurvesOptions {
  /** Name among the values of a point. */
  readonly value: string;
  readonly against: CurveAxis;
}

/** Places at most: what a figure of that width can show. */
const MOST_PLACES = 60;

/**
 * Mean over seeds with its 95 % interval (± t·s/√n) at places where every seed has measured: where the seeds' own
 * places agree those, else as many between the last first and the first last one, with straight lines between
 * measurements.
 */
export function meanCurves(
  runs: readonly MethodRun[],
  options: MeanCurvesOptions,
): readonly MeanCurve[] {
  const methods = [...new Set(runs.map(({ method }) => method))];
  return methods.flatMap((method) => {
    const curves = runs
      .filter((run) => run.method === method)
      .map(({ curve }) => placesOf(curve, options))
      .filter((curve) => curve.length > 0);
    if (curves.length === 0) return [];
    return [{ method, seeds: curves.length, points: average(curves) }];
  });
}

interface Place {
  readonly x: number;
  readonly y: number;
}

function placesOf(
  curve: readonly CurvePoint[],
  { value, against }: MeanCurvesOptions,
): readonly Place[] {
  return curve
    .map((point) => ({ x: point[against], y: point.values[value] ?? NaN }))
    .filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))
    .sort((a, b) => a.x - b.x);
}

function average(curves: readonly (readonly Place[])[]): readonly MeanPoint[] {
  return grid(curves).map((x) => {
    const estimate = estimateMean(seedTable(curves.map((curve) => valueAt(curve, x))));
    const { mean } = estimate;
    const { low, high } = meanInterval(estimate) ?? { low: mean, high: mean };
    return { x, mean, low, high };
  });
}

function grid(curves: readonly (readonly Place[])[]): readonly number[] {
  const [first = []] = curves;
  const own = first.map(({ x }) => x);
  const same = curves.every(
    (curve) => curve.length === own.length && curve.every(({ x }, i) => x === own[i]),
  );
  if (same && own.length <= MOST_PLACES) return own;
  const from = Math.max(...curves.map((curve) => curve[0]?.x ?? 0));
  const to = Math.min(...curves.map((curve) => curve.at(-1)?.x ?? 0));
  if (to <= from) return to === from ? [from] : [];
  const places = Math.min(MOST_PLACES, Math.max(...curves.map((curve) => curve.length)));
  return Array.from(
    { length: places },
    (_, i) => from + ((to - from) * i) / Math.max(1, places - 1),
  );
}

/** By a straight line between the measurements around `x`, which lies within them. */
function valueAt(curve: readonly Place[], x: number): number {
  const next = curve.findIndex((place) => place.x >= x);
  const right = curve[next] ?? curve.at(-1);
  const left = curve[Math.max(0, next - 1)] ?? right;
  if (!left || !right) return NaN;
  if (right.x === left.x) return right.y;
  return left.y + ((x - left.x) / (right.x - left.x)) * (right.y - left.y);
}

/** Names of all values along the curves: metrics first, then the loss and its terms. */
export function curveNames(runs: readonly MethodRun[]): readonly string[] {
  const names = [
    ...new Set(runs.flatMap(({ curve }) => curve.flatMap(({ values }) => Object.keys(values)))),
  ];
  const rank = (name: string): number => (name === "loss" ? 1 : name.startsWith("loss/") ? 2 : 0);
  return names.sort((a, b) => rank(a) - rank(b));
}
