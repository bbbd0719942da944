import { describe, expect, it } from "vitest";
import { extremes, mixed, plain } from "./batches.fixture.js";
import {
  expectFinite,
  expectFormula,
  supervisedContrastiveFormula,
} from "./formulas.test-support.js";
import { dot, runLoss } from "./losses.test-support.js";
import { createSupervisedContrastive } from "./supervised-contrastive.js";

describe("the supervised contrastive loss", () => {
  const loss = createSupervisedContrastive({ temperature: 0.5 });

  it("compares each anchor's positives with all others, itself excluded", () => {
    expectFormula(loss, supervisedContrastiveFormula(0.5), mixed);
    const found = runLoss(loss, mixed);
    const [first, second] = mixed.features.image;
    expect(found.metrics["positiveSimilarity"]).toBeCloseTo(dot(first!, second!), 12);
    expect(found.gradients["logitScale"]).toEqual([0]);
  });

  it("is 0 for samples that all stand alone, and for a single one", () => {
    for (const batch of [plain, extremes["one sample"]!]) {
      const found = runLoss(loss, batch);
      expect(found.loss).toBeCloseTo(0, 15);
      expect(found.gradients["image"]!.every((v) => Math.abs(v) === 0)).toBe(true);
    }
  });

  it.each(Object.keys(extremes))("is finite at a tiny temperature with %s", (what) => {
    expectFinite(createSupervisedContrastive({ temperature: 1e-4 }), extremes[what]!);
  });

  it("refuses smaller temperatures", () => {
    expect(() => createSupervisedContrastive({ temperature: 0 })).toThrow(
      /temperature: expected a number of at least 0.0001, got 0/,
    );
  });
});
