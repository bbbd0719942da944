/** The bootstrap over seeds and test items: what the mean comes to when both are drawn again with replacement. */
import type { Random } from "@diptych/core";
import type { Interval } from "../comparison.js";
import type { OutcomeTable } from "./outcome-table.js";

export interface BootstrapOptions {
  readonly random: Random;
  readonly level?: number;
  /** 1,000 by default. */
  readonly resamples?: number;
}

/**
 * Percentile bootstrap of the mean, seeds and items resampled independently of each other (Owen 2007, "the pigeonhole
 * bootstrap", Ann. Appl. Stat. 1). Good for items, of which there are many. With three or five seeds it is too narrow
 * (docs/decisions/0017 has its coverages): it is shown beside the interval that a verdict rests on, never instead.
 */
export function bootstrapInterval(
  table: OutcomeTable,
  { random, level = 0.95, resamples = 1000 }: BootstrapOptions,
): Interval | null {
  const { seeds, items } = table;
  if (seeds < 2 && items < 2) return null;
  const means = new Float64Array(resamples);
  for (let i = 0; i < resamples; i++) means[i] = resampledMean(table, random);
  means.sort();
  const at = (share: number): number => {
    const position = share * (resamples - 1);
    const below = means[Math.floor(position)]!;
    return below + (means[Math.ceil(position)]! - below) * (position - Math.floor(position));
  };
  return Object.freeze({
    low: at((1 - level) / 2),
    high: at((1 + level) / 2),
    level,
    over: seeds < 2 ? "items" : items < 2 ? "seeds" : "seeds and items",
  });
}

function resampledMean({ seeds, items, values }: OutcomeTable, random: Random): number {
  const columns = Math.max(1, items);
  const seedCounts = drawCounts(seeds, random);
  const itemCounts = drawCounts(columns, random);
  let sum = 0;
  for (let seed = 0; seed < seeds; seed++) {
    const count = seedCounts[seed]!;
    if (count === 0) continue;
    let ofSeed = 0;
    for (let item = 0; item < columns; item++)
      ofSeed += itemCounts[item]! * values[seed * columns + item]!;
    sum += count * ofSeed;
  }
  return sum / (seeds * columns);
}

/** How often each of `size` is drawn in `size` draws. */
function drawCounts(size: number, random: Random): Int32Array {
  const counts = new Int32Array(size);
  for (let i = 0; i < size; i++) counts[random.integer(size)]!++;
  return counts;
}
