/** Rows drawn by class: k of each for few shots, a share of each for validation. */
import type { Random } from "@diptych/core";

/** Rows of each class in a random order that depends on the stream and the class alone. */
function shuffledByClass(
  targets: readonly number[],
  random: Random,
): readonly (readonly [number, readonly number[]])[] {
  const members = new Map<number, number[]>();
  targets.forEach((target, row) => {
    const known = members.get(target);
    if (known) known.push(row);
    else members.set(target, [row]);
  });
  return [...members]
    .sort(([a], [b]) => a - b)
    .map(([target, rows]) => {
      const order = random.split(target).permutation(rows.length);
      return [target, Array.from(order, (i) => rows[i] ?? 0)] as const;
    });
}

/** `shots` rows of each class, or all that it has; and the classes that have fewer. */
export function drawShots(
  targets: readonly number[],
  shots: number,
  random: Random,
): { readonly rows: readonly number[]; readonly short: readonly number[] } {
  const classes = shuffledByClass(targets, random);
  return {
    rows: classes.flatMap(([, rows]) => rows.slice(0, shots)).sort((a, b) => a - b),
    short: classes.filter(([, rows]) => rows.length < shots).map(([target]) => target),
  };
}

/** A share of each class set apart, at least one row where it has two; a class of one row stays. */
export function splitRows(
  targets: readonly number[],
  share: number,
  random: Random,
): { readonly kept: readonly number[]; readonly apart: readonly number[] } {
  const kept: number[] = [];
  const apart: number[] = [];
  for (const [, rows] of shuffledByClass(targets, random)) {
    const count = Math.min(rows.length - 1, Math.max(1, Math.round(share * rows.length)));
    apart.push(...rows.slice(0, count));
    kept.push(...rows.slice(count));
  }
  const ascending = (a: number, b: number): number => a - b;
  return { kept: kept.sort(ascending), apart: apart.sort(ascending) };
}
