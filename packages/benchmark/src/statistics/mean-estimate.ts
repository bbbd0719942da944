/**
 * A mean over seeds and test items with the variance that each of the two gives it: items and seeds are crossed, every
 * seed's model sees every item. What an interval and its test are made of (docs/decisions/0017).
 */
import type { Reach } from "../comparison.js";
import { itemMeans, meanOf, seedMeans, type OutcomeTable } from "./outcome-table.js";

export interface MeanEstimate {
  readonly mean: number;
  /** Variance of the mean from the choice of seeds, with what seeds and items do together; 0 where it cannot be told. */
  readonly seedVariance: number;
  readonly seedDegrees: number;
  /** Variance of the mean from the choice of items. */
  readonly itemVariance: number;
  readonly itemDegrees: number;
  /** null: one seed and no items, nothing can be said. */
  readonly over: Reach | null;
}

/**
 * Estimates the mean under the crossed model yₛᵢ = μ + aₛ + bᵢ + eₛᵢ, all three random:
 *
 *     Var(ȳ) = σₐ²/S + σ_b²/I + σₑ²/(S·I),  estimated by  MSₛ/(S·I)  +  max(0, MSᵢ − MSₑ)/(S·I)
 *
 * with the mean squares of a two-way analysis of variance without replication. The first term holds σₐ² and σₑ² and has
 * S − 1 degrees of freedom. Those of the second are 2/(κ/I + 2/(I − 1)) with the items' excess kurtosis κ, at most I − 1:
 * where few items decide, their variance is known less well.
 */
export function estimateMean(table: OutcomeTable): MeanEstimate {
  const { seeds, items } = table;
  const bySeed = seedMeans(table);
  const mean = meanOf(bySeed);
  const nothing = {
    mean,
    seedVariance: 0,
    seedDegrees: Infinity,
    itemVariance: 0,
    itemDegrees: Infinity,
  };
  const manySeeds = seeds > 1;
  const manyItems = items > 1;
  if (!manySeeds && !manyItems) return Object.freeze({ ...nothing, over: null });
  const ofSeeds = { seedVariance: sampleVariance(bySeed) / seeds, seedDegrees: seeds - 1 };
  if (!manyItems) return Object.freeze({ ...nothing, ...ofSeeds, over: "seeds" });
  const byItem = itemMeans(table);
  const itemDegrees = kurtosisDegrees(byItem);
  const spread = sampleVariance(byItem) / items;
  if (!manySeeds)
    return Object.freeze({ ...nothing, itemVariance: spread, itemDegrees, over: "items" });
  const itemVariance = Math.max(0, spread - interactionVariance(table, { mean, bySeed, byItem }));
  return Object.freeze({ mean, ...ofSeeds, itemVariance, itemDegrees, over: "seeds and items" });
}

/** MSₑ/(S·I). */
function interactionVariance(
  { seeds, items, values }: OutcomeTable,
  {
    mean,
    bySeed,
    byItem,
  }: { readonly mean: number; readonly bySeed: Float64Array; readonly byItem: Float64Array },
): number {
  let squares = 0;
  for (let seed = 0; seed < seeds; seed++) {
    const shift = mean - bySeed[seed]!;
    for (let item = 0; item < items; item++)
      squares += (values[seed * items + item]! - byItem[item]! + shift) ** 2;
  }
  return squares / ((seeds - 1) * (items - 1)) / (seeds * items);
}

function sampleVariance(values: Float64Array): number {
  const mean = meanOf(values);
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return squares / (values.length - 1);
}

/** Degrees of freedom of a sample variance whose own variance is σ⁴ (κ/n + 2/(n − 1)). */
function kurtosisDegrees(values: Float64Array): number {
  const n = values.length;
  const mean = meanOf(values);
  let second = 0;
  let fourth = 0;
  for (const value of values) {
    const square = (value - mean) ** 2;
    second += square / n;
    fourth += (square * square) / n;
  }
  const excess = second > 0 ? Math.max(0, fourth / (second * second) - 3) : 0;
  return Math.max(1, 2 / (excess / n + 2 / (n - 1)));
}
