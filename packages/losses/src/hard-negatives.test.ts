import { describe, expect, it } from "vitest";
import { extremes, mixed, plain } from "./batches.fixture.js";
import {
  correctedNegatives,
  expectFinite,
  expectFormula,
  hardNegativesFormula,
  outcomes,
  present,
} from "./formulas.test-support.js";
import { createHardNegatives } from "./hard-negatives.js";
import { createInfoNce } from "./info-nce.js";
import { runLoss } from "./losses.test-support.js";

// Numbers that float32 holds: it is what a graph's constants are.
const weights = [0, 0.25, 1].flatMap((beta) =>
  [0, 0.125, 0.75].flatMap((tauPlus) => [0.5, 1].map((alpha) => ({ beta, tauPlus, alpha }))),
);

describe("hard negatives against their formula", () => {
  it.each(weights)("beta $beta, tauPlus $tauPlus, alpha $alpha", (chosen) => {
    for (const duplicates of ["positives", "masked", "negatives"] as const) {
      const loss = createHardNegatives({ ...chosen, duplicates });
      expectFormula(loss, hardNegativesFormula({ ...chosen, duplicates }), mixed);
    }
  });

  it("are tried on both sides of the least that the correction leaves", () => {
    const terms = { beta: 0.25, tauPlus: 0.75, alpha: 1 };
    const rows = outcomes(mixed).map((row) => {
      const [positive = NaN] = present(row).flatMap((pair) => (pair.positive ? [pair.logit] : []));
      const others = present(row).flatMap((pair) => (pair.positive ? [] : [Math.exp(pair.logit)]));
      return correctedNegatives({ positive: Math.exp(positive), others }, terms, mixed.logitScale);
    });
    const sides = rows.map(({ corrected, least }) => corrected > least);
    expect(new Set(sides)).toEqual(new Set([true, false]));
  });
});

describe("hard negatives", () => {
  it("are InfoNCE where all count alike and none is false", () => {
    const loss = createHardNegatives({ beta: 0 });
    const apart = createInfoNce({ positives: "apart" });
    for (const batch of [plain, mixed]) {
      const [found, expected] = [runLoss(loss, batch), runLoss(apart, batch)];
      expect(found.loss).toBeCloseTo(expected.loss, 13);
      expect(found.metrics).toEqual(expected.metrics);
    }
  });

  it("cost more where they count for more", () => {
    const values = [0, 0.5, 2].map((beta) => runLoss(createHardNegatives({ beta }), plain).loss);
    expect(values[0]).toBeLessThan(values[1]!);
    expect(values[1]).toBeLessThan(values[2]!);
  });

  it.each(Object.keys(extremes))("are finite with %s", (what) => {
    for (const chosen of weights) expectFinite(createHardNegatives(chosen), extremes[what]!);
  });

  it("are by definition log alpha without any, and 0 without positives", () => {
    const loss = createHardNegatives({ alpha: 0.5, tauPlus: 0.125 });
    expect(expectFinite(loss, extremes["one sample"]!)).toBeCloseTo(Math.log(0.5), 12);
    expect(expectFinite(loss, extremes["one concept"]!)).toBeCloseTo(Math.log(0.5), 12);
    expect(expectFinite(loss, extremes["no positives"]!)).toBeCloseTo(0, 15);
  });

  it.each([
    [{ beta: -1 }, /hard-negatives: beta: expected a finite number of at least 0, got -1/],
    [{ beta: Infinity }, /beta: expected a finite number of at least 0, got Infinity/],
    [{ tauPlus: 1 }, /tauPlus: expected a number of at least 0 and below 1, got 1/],
    [{ alpha: 0 }, /alpha: expected a number from 0.000001 up to 1, got 0/],
    [{ alpha: NaN }, /alpha: expected a number from 0.000001 up to 1, got NaN/],
  ])("refuse %o", (options, message) => {
    expect(() => createHardNegatives(options)).toThrow(message);
  });
});
