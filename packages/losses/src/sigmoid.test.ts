import { describe, expect, it } from "vitest";
import { extremes, mixed, plain } from "./batches.fixture.js";
import { expectFinite, expectFormula, sigmoidFormula } from "./formulas.test-support.js";
import { dot, runLoss } from "./losses.test-support.js";
import { createSigmoidLoss } from "./sigmoid.js";

const kinds = ["positives", "masked", "negatives"] as const;
const biased = { ...mixed, logitBias: -3 };

describe("the sigmoid loss against its formula", () => {
  it.each(kinds)("duplicates: %s", (duplicates) => {
    expectFormula(createSigmoidLoss({ duplicates }), sigmoidFormula(duplicates), biased);
  });

  it.each(kinds.flatMap((duplicates) => [1, 3, 4, 9].map((size) => [duplicates, size] as const)))(
    "duplicates: %s, in chunks of %i rows",
    (duplicates, chunkSize) => {
      const loss = createSigmoidLoss({ duplicates, chunkSize });
      expectFormula(loss, sigmoidFormula(duplicates), biased);
      const whole = runLoss(createSigmoidLoss({ duplicates }), biased);
      const found = runLoss(loss, biased);
      expect(found.loss).toBeCloseTo(whole.loss, 13);
      for (const [name, value] of Object.entries(whole.metrics))
        expect(found.metrics[name], name).toBeCloseTo(value, 13);
      for (const [name, values] of Object.entries(whole.gradients))
        values.forEach((value, i) =>
          expect(found.gradients[name]![i], `${name} ${i}`).toBeCloseTo(value, 13),
        );
    },
  );

  it("tells the kinds of duplicates apart where there are some", () => {
    const values = kinds.map(
      (duplicates) => runLoss(createSigmoidLoss({ duplicates }), biased).loss,
    );
    expect(new Set(values.map((value) => value.toFixed(9))).size).toBe(3);
  });
});

describe("the sigmoid loss", () => {
  it("measures cosines without the bias", () => {
    const found = runLoss(createSigmoidLoss(), { ...plain, logitBias: -3 });
    const { image, text } = plain.features;
    const cosines = image.map((row, i) => dot(row, text[i]!));
    expect(found.metrics["positiveSimilarity"]).toBeCloseTo(
      cosines.reduce((a, b) => a + b) / 4,
      12,
    );
  });

  it.each(Object.keys(extremes))("is finite with %s", (what) => {
    for (const duplicates of kinds)
      for (const options of [{ duplicates }, { duplicates, chunkSize: 3 }])
        for (const logitBias of [-1e4, 1e4])
          expectFinite(createSigmoidLoss(options), { ...extremes[what]!, logitBias });
  });

  it("is by definition that of one pair for one sample", () => {
    const at = { ...extremes["one sample"]!, logitBias: 2 };
    const logit = 7 * dot(at.features.image[0]!, at.features.text[0]!) + 2;
    expect(runLoss(createSigmoidLoss(), at).loss).toBeCloseTo(Math.log1p(Math.exp(-logit)), 13);
  });

  it("asks for a bias", () => {
    expect(() => runLoss(createSigmoidLoss(), mixed)).toThrow(
      /logitBias: expected a model with a bias, got none. Set model.logitBias: -10/,
    );
  });

  it.each([0, -1, 1.5, NaN])("refuses chunks of %s rows", (chunkSize) => {
    expect(() => createSigmoidLoss({ chunkSize })).toThrow(
      /losses\/sigmoid: chunkSize: expected an integer of at least 1/,
    );
  });
});
