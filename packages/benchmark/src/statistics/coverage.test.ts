import { describe, expect, test } from "vitest";
import { coverageOf, exactCoverage, type Design } from "./coverage.test-support.js";

const RUNS = 1500;

const designs: readonly Design[] = [3, 5, 10].flatMap((seeds) => [
  { seeds, items: 100, accuracy: 0.6, seedSpread: 0.1, itemSpread: 1 },
  { seeds, items: 200, accuracy: 0.9, seedSpread: 0.03, itemSpread: 1 },
  { seeds, items: 200, accuracy: 0.5, seedSpread: 0, itemSpread: 1 },
  { seeds, items: 100, accuracy: 0.3, seedSpread: 0.3, itemSpread: 0 },
  { seeds, items: 100, accuracy: 0.7, otherAccuracy: 0.6, seedSpread: 0.1, itemSpread: 2 },
]);

// The wide grid is in coverage.slow.test.ts. Seeded: each share is what it is, and no luck.
describe("95 % intervals hold the truth in 93 to 97 % of runs", () => {
  test.each(designs)("%o", (design) => {
    const { interval } = coverageOf(design, { runs: RUNS, seed: 1 });
    expect(interval).toBeGreaterThanOrEqual(0.93);
    expect(interval).toBeLessThanOrEqual(0.97);
  });

  test("one seed: over items", () => {
    const design = { seeds: 1, items: 200, accuracy: 0.7, seedSpread: 0, itemSpread: 0 };
    const { interval } = coverageOf(design, { runs: RUNS, seed: 1 });
    expect(interval).toBeGreaterThanOrEqual(0.93);
    expect(interval).toBeLessThanOrEqual(0.97);
  });

  test.each([
    { items: 50, accuracies: [0.1, 0.9] },
    { items: 200, accuracies: [0.02, 0.98] },
    { items: 1000, accuracies: [0.005, 0.995] },
  ])("one seed, $items right or wrong answers, accuracies $accuracies", ({ items, accuracies }) => {
    const [from = 0, to = 1] = accuracies;
    const held = Array.from({ length: 60 }, (_, i) =>
      exactCoverage(items, from + ((to - from) * i) / 59),
    );
    expect(held.reduce((sum, share) => sum + share, 0) / held.length).toBeGreaterThan(0.945);
    expect(held.reduce((sum, share) => sum + share, 0) / held.length).toBeLessThan(0.955);
    // A binomial share has few values: no interval holds each truth alike.
    expect(Math.min(...held)).toBeGreaterThan(0.92);
    expect(Math.max(...held)).toBeLessThan(0.98);
  });

  test("a bootstrap over three seeds does not, which is why no verdict rests on it", () => {
    const design = { seeds: 3, items: 400, accuracy: 0.6, seedSpread: 0.3, itemSpread: 0 };
    const { interval, bootstrap } = coverageOf(design, { runs: 400, seed: 1, resamples: 300 });
    expect(bootstrap).toBeLessThan(0.9);
    expect(interval).toBeGreaterThanOrEqual(0.93);
  });
});
