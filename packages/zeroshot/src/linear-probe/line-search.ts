/** A step length that meets the strong Wolfe conditions: Nocedal & Wright, Numerical Optimization (2nd ed.), algorithms 3.5 and 3.6. */

/** The function along the line. */
export interface LinePoint {
  readonly step: number;
  readonly value: number;
  readonly slope: number;
}

export interface LineSearchOptions {
  /** At step 0; its slope is negative. */
  readonly start: LinePoint;
  readonly firstStep: number;
  readonly at: (step: number) => Promise<LinePoint>;
  /** c₁ and c₂ of the conditions, 0 < c₁ < c₂ < 1. */
  readonly decrease?: number;
  readonly curvature?: number;
  readonly maxEvaluations?: number;
}

/**
 * φ(α) ≤ φ(0) + c₁αφ′(0) and |φ′(α)| ≤ c₂|φ′(0)|.
 *
 * @returns undefined where no step below the start was found, as when rounding hides all that is left to gain; a step
 * that only decreases the function where the evaluations ran out
 */
export async function findStep(options: LineSearchOptions): Promise<LinePoint | undefined> {
  const { start, at, decrease = 1e-4, curvature = 0.9, maxEvaluations = 50 } = options;
  const isLow = (point: LinePoint): boolean =>
    point.value <= start.value + decrease * point.step * start.slope;
  const isFlat = (point: LinePoint): boolean => Math.abs(point.slope) <= -curvature * start.slope;
  let evaluations = 0;
  let before = start;
  let step = options.firstStep;
  const next = (length: number): Promise<LinePoint> => {
    evaluations += 1;
    return at(length);
  };
  const zoom = async (low: LinePoint, high: LinePoint): Promise<LinePoint | undefined> => {
    let [a, b] = [low, high];
    while (evaluations < maxEvaluations && Math.abs(b.step - a.step) > 1e-12 * a.step) {
      const point = await next(between(a, b));
      if (!isLow(point) || point.value >= a.value) b = point;
      else {
        if (isFlat(point)) return point;
        if (point.slope * (b.step - a.step) >= 0) b = a;
        a = point;
      }
    }
    return a.step > 0 && a.value < start.value ? a : undefined;
  };
  while (evaluations < maxEvaluations) {
    const point = await next(step);
    // Also where the value is no number: too far.
    if (!isLow(point) || (evaluations > 1 && point.value >= before.value))
      return zoom(before, point);
    if (isFlat(point)) return point;
    if (point.slope >= 0) return zoom(point, before);
    before = point;
    step *= 2;
  }
  return before.step > 0 ? before : undefined;
}

/**
 * Minimiser of the cubic through both values and slopes (equation 3.59), kept away from the ends; the middle where the
 * cubic has none.
 */
function between(a: LinePoint, b: LinePoint): number {
  const width = b.step - a.step;
  const d1 = a.slope + b.slope - (3 * (a.value - b.value)) / (a.step - b.step);
  const square = d1 ** 2 - a.slope * b.slope;
  const d2 = Math.sign(width) * Math.sqrt(square);
  const found = b.step - width * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2));
  const [least, most] = [Math.min(a.step, b.step), Math.max(a.step, b.step)];
  const margin = 0.1 * (most - least);
  const isInside = found >= least + margin && found <= most - margin;
  return isInside ? found : (a.step + b.step) / 2;
}
