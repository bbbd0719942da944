/** The sweep over the penalty of the linear probe: CLIP (arXiv:2103.00020), appendix A.3. */

/** 8 steps a decade from 10⁻⁶ to 10⁶: 97 values. */
export const STEPS_PER_DECADE = 8;
const LOWEST = -6;
const LAST = 12 * STEPS_PER_DECADE;

export interface Tried {
  readonly C: number;
  readonly accuracy: number;
}

/** The C at a position of the grid. */
function strengthAt(position: number): number {
  return 10 ** (LOWEST + position / STEPS_PER_DECADE);
}

/**
 * Parametric binary search: every second decade, then around the best, at half the distance each time, until neighbours on
 * the grid were tried. Of equal accuracies the stronger penalty (smaller C) wins.
 */
export async function sweepStrength(
  accuracyOf: (C: number) => Promise<number>,
): Promise<{ readonly best: Tried; readonly tried: readonly Tried[] }> {
  const tried = new Map<number, number>();
  let best = -1;
  const attempt = async (position: number): Promise<void> => {
    if (position < 0 || position > LAST || tried.has(position)) return;
    const accuracy = await accuracyOf(strengthAt(position));
    tried.set(position, accuracy);
    const most = tried.get(best) ?? -Infinity;
    if (accuracy > most || (accuracy === most && position < best)) best = position;
  };
  const start = 2 * STEPS_PER_DECADE;
  for (let position = 0; position <= LAST; position += start) await attempt(position);
  for (let distance = start / 2; distance >= 1; distance /= 2) {
    const around = best;
    await attempt(around - distance);
    await attempt(around + distance);
  }
  const list = [...tried]
    .sort(([a], [b]) => a - b)
    .map(([position, accuracy]) => ({ C: strengthAt(position), accuracy }));
  return Object.freeze({
    best: { C: strengthAt(best), accuracy: tried.get(best) ?? NaN },
    tried: list,
  });
}
