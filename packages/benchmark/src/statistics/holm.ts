/** Correction for several tests at once. */

/**
 * Holm's step-down correction (Holm 1979): the chance of one false finding or more stays below the level, whatever the
 * tests' dependence.
 *
 * Sorted, p₍ₖ₎ becomes max over j ≤ k of min(1, (m − j + 1) p₍ⱼ₎). Tests that said nothing (null) do not count.
 */
export function holm(ps: readonly (number | null)[]): readonly (number | null)[] {
  const order = ps
    .flatMap((p, index) => (p === null ? [] : [{ p, index }]))
    .sort((a, b) => a.p - b.p);
  const corrected: (number | null)[] = ps.map(() => null);
  let largest = 0;
  order.forEach(({ p, index }, rank) => {
    largest = Math.max(largest, Math.min(1, (order.length - rank) * p));
    corrected[index] = largest;
  });
  return corrected;
}
