/** The grid behind the table of docs/decisions/0017: all designs that comparisons have, extreme ones among them. */
import { describe, expect, test } from "vitest";
import { coverageOf, type Design } from "./coverage.test-support.js";

const ACCURACIES = [
  ["around one half", [0.3, 0.5, 0.7]],
  ["near the ends", [0.05, 0.95]],
] as const;

const SIZES = [50, 200, 1000, 2000];

function designsOf(seeds: number, accuracies: readonly number[]): readonly Design[] {
  return accuracies.flatMap((accuracy) =>
    SIZES.flatMap((items) =>
      [0, 0.03, 0.1, 0.3].flatMap((seedSpread) =>
        [0, 1, 3].map((itemSpread) => ({ seeds, items, accuracy, seedSpread, itemSpread })),
      ),
    ),
  );
}

/** Simulation alone moves a share of this many runs by 0.6 (at 0.95, one deviation) points, 1.8 for the furthest of many. */
const runsOf = ({ items }: Design): number => (items > 200 ? 300 : 1200);
const slack = (design: Design): number => 3.2 * Math.sqrt((0.95 * 0.05) / runsOf(design));

const coverages = new Map<Design, number>();
const covered = (design: Design): number => {
  const known = coverages.get(design);
  if (known !== undefined) return known;
  const { interval } = coverageOf(design, { runs: runsOf(design), seed: 2 });
  coverages.set(design, interval);
  return interval;
};

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

describe.each([3, 5, 10])("%i seeds", (seeds) => {
  test.each(ACCURACIES)("accuracies %s", (where, accuracies) => {
    const designs = designsOf(seeds, accuracies);
    const shares = designs.map(covered);
    // Few items of which few decide: what happens to be drawn tells little of its own spread.
    const [low, high] = where === "near the ends" ? [0.92, 0.985] : [0.93, 0.97];
    const outside = designs.filter(
      (design) => covered(design) < low - slack(design) || covered(design) > high + slack(design),
    );
    expect(outside.map((design) => ({ ...design, covered: covered(design) }))).toEqual([]);
    expect(mean(shares)).toBeGreaterThan(0.94);
    expect(mean(shares)).toBeLessThan(0.97);
  });

  test("differences of two methods", () => {
    const pairs = [
      [0.3, 0.4],
      [0.7, 0.7],
      [0.9, 0.85],
    ] as const;
    const designs = pairs.flatMap(([accuracy, otherAccuracy]) =>
      designsOf(seeds, [accuracy]).flatMap((design) =>
        design.items > 200 ? [] : [{ ...design, otherAccuracy }],
      ),
    );
    const outside = designs.filter(
      (design) => covered(design) < 0.93 - slack(design) || covered(design) > 0.975 + slack(design),
    );
    expect(outside.map((design) => ({ ...design, covered: covered(design) }))).toEqual([]);
    expect(mean(designs.map(covered))).toBeGreaterThan(0.94);
  });
});
