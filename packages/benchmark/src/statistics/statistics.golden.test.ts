import { readFileSync } from "node:fs";
import { createRandom } from "@diptych/core";
import { describe, expect, test } from "vitest";
import { fairCoinTails, studentQuantile } from "./distributions.js";
import { estimateMean } from "./mean-estimate.js";
import { meanInterval, meanP } from "./mean-interval.js";
import { outcomeTable, seedTable } from "./outcome-table.js";
import { signFlipP } from "./sign-flip.js";

interface Fixture {
  readonly quantiles: readonly { df: number; probability: number; quantile: number }[];
  readonly coins: readonly { successes: number; trials: number; p: number }[];
  readonly shares: readonly { successes: number; trials: number; low: number; high: number }[];
  readonly flips: readonly { name: string; differences: number[]; p: number }[];
  readonly paired: readonly { differences: number[]; p: number; low: number; high: number }[];
  readonly crossed: readonly {
    values: number[][];
    mean: number;
    seedVariance: number;
    itemVariance: number;
    itemDegrees: number;
  }[];
}

const fixture = JSON.parse(
  readFileSync(new URL("../../fixtures/statistics.json", import.meta.url), "utf8"),
) as Fixture;

const relative = (found: number, wanted: number): number =>
  Math.abs(found - wanted) / Math.max(Math.abs(wanted), 1e-300);

describe("SciPy's values", () => {
  test.each(fixture.quantiles)("t quantile $probability with $df degrees", (row) => {
    expect(relative(studentQuantile(row.probability, row.df), row.quantile)).toBeLessThan(1e-6);
  });

  test.each(fixture.coins)("$successes of $trials coins", ({ successes, trials, p }) => {
    expect(relative(fairCoinTails(successes, trials), p)).toBeLessThan(1e-8);
  });

  test.each(fixture.shares)("interval of $successes of $trials", (row) => {
    const { successes, trials } = row;
    const outcomes = Array.from({ length: trials }, (_, item) => Number(item < successes));
    const options = { shares: true, binary: true, items: trials };
    const interval = meanInterval(estimateMean(outcomeTable([outcomes])), options)!;
    expect(interval.low).toBeCloseTo(row.low, 8);
    expect(interval.high).toBeCloseTo(row.high, 8);
  });

  test.each(fixture.flips)("signs flipped: $name", ({ differences, p }) => {
    expect(signFlipP(Float64Array.from(differences), createRandom(0))).toBeCloseTo(p, 12);
  });

  test.each(fixture.paired)("paired t test of $differences.length", (row) => {
    const estimate = estimateMean(seedTable(row.differences));
    expect(relative(meanP(estimate)!, row.p)).toBeLessThan(1e-6);
    const interval = meanInterval(estimate)!;
    expect(interval.low).toBeCloseTo(row.low, 6);
    expect(interval.high).toBeCloseTo(row.high, 6);
  });

  test.each(fixture.crossed)("variances of crossed seeds and items", (row) => {
    const estimate = estimateMean(outcomeTable(row.values));
    expect(estimate.mean).toBeCloseTo(row.mean, 12);
    expect(estimate.seedVariance).toBeCloseTo(row.seedVariance, 12);
    expect(estimate.itemVariance).toBeCloseTo(row.itemVariance, 12);
    expect(estimate.itemDegrees).toBeCloseTo(row.itemDegrees, 9);
  });
});
