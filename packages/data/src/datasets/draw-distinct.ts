/** Choosing several of a list: all different as long as there are enough, then again from the start. */
import type { Random } from "@diptych/core";

export function drawDistinct<T>(values: readonly T[], count: number, random: Random): T[] {
  if (values.length === 0) return [];
  if (count === 1) return [values[random.integer(values.length)] as T];
  const order = random.permutation(values.length);
  return Array.from({ length: count }, (_, i) => values[order[i % order.length] as number] as T);
}
