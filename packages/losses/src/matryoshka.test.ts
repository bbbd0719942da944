import { ones, sum, mul, type Loss } from "@diptych/core";
import { describe, expect, it } from "vitest";
import { extremes, mixed } from "./batches.fixture.js";
import {
  expectFinite,
  expectFormula,
  infoNceFormula,
  matryoshkaFormula,
  sigmoidFormula,
  type Batch,
} from "./formulas.test-support.js";
import { createInfoNce } from "./info-nce.js";
import { runLoss } from "./losses.test-support.js";
import { createMatryoshka, matryoshkaDims } from "./matryoshka.js";
import { createSigmoidLoss } from "./sigmoid.js";

const biased: Batch = { ...mixed, logitBias: -2 };

describe("Matryoshka against its formula", () => {
  it("adds a loss on normalised prefixes, each weighed", () => {
    const dims = [1, 2, 3];
    const weights = [0.5, 2, 1];
    expectFormula(
      createMatryoshka({ loss: createInfoNce({ positives: "apart" }), dims, weights }),
      matryoshkaFormula(infoNceFormula({ positives: "apart" }), dims, weights),
      mixed,
    );
    expectFormula(
      createMatryoshka({ loss: createSigmoidLoss({ chunkSize: 2 }), dims: [2, 3] }),
      matryoshkaFormula(sigmoidFormula(), [2, 3], [1, 1]),
      biased,
    );
  });

  it("is the loss itself on all of the features", () => {
    const found = runLoss(createMatryoshka({ loss: createInfoNce(), dims: [3] }), mixed);
    const expected = runLoss(createInfoNce(), mixed);
    expect(found.loss).toBe(expected.loss);
    expect(found.gradients).toEqual(expected.gradients);
  });

  it("logs each prefix", () => {
    const found = runLoss(createMatryoshka({ loss: createInfoNce(), dims: [2, 3] }), mixed);
    expect(Object.keys(found.metrics)).toEqual(
      ["dim2", "dim3"].flatMap((dim) =>
        ["loss", "accuracy", "positiveSimilarity"].map((metric) => `${dim}/${metric}`),
      ),
    );
    expect(found.metrics["dim2/loss"]! + found.metrics["dim3/loss"]!).toBeCloseTo(found.loss, 12);
    expect(found.metrics["dim2/loss"]).not.toBeCloseTo(found.metrics["dim3/loss"]!, 3);
  });
});

describe("Matryoshka", () => {
  it("keeps scope, needs and inputs of its loss, and gives each prefix parameters of its own", () => {
    const inner: Loss = {
      name: "inner",
      needs: ["features"],
      auxiliary: [],
      scope: "sample",
      build: ({ scope }, { normalized, encoded }) => ({
        loss: mul(sum(normalized["image"]!), scope.parameter("weight", [], { initializer: ones })),
        metrics: { pooled: sum(encoded["image"]?.pooled ?? normalized["image"]!) },
      }),
    };
    const loss = createMatryoshka({ loss: inner, dims: [1, 3] });
    expect(loss).toMatchObject({ name: "matryoshka", scope: "sample", needs: ["features"] });
    expect(loss.parts!.map(({ name }) => name)).toEqual(["dim1", "dim3"]);
    const parameters = { "dim1.weight": [2], "dim3.weight": [3] };
    const found = runLoss(loss, { ...mixed, parameters });
    const signs = mixed.features.image.reduce((total, [x]) => total + Math.sign(x!), 0);
    expect(found.gradients["dim1.weight"]![0]).toBeCloseTo(signs, 12);
  });

  it.each(Object.keys(extremes))("is finite with %s", (what) => {
    expectFinite(createMatryoshka({ loss: createInfoNce(), dims: [1, 2, 3] }), extremes[what]!);
  });

  it("is finite where a prefix is all zeros", () => {
    const zeros = mixed.features.image.map(() => [0, 0, 1]);
    const features = { ...mixed.features, image: zeros };
    expectFinite(createMatryoshka({ loss: createInfoNce(), dims: [2, 3] }), { ...mixed, features });
  });

  it("halves widths as long as they are whole and at least 8", () => {
    expect(matryoshkaDims(64)).toEqual([8, 16, 32, 64]);
    expect(matryoshkaDims(640)).toEqual([10, 20, 40, 80, 160, 320, 640]);
    expect(matryoshkaDims(6)).toEqual([6]);
  });

  const loss = createInfoNce();
  it.each([
    [{ dims: [] }, /matryoshka: dims: expected at least one, got none/],
    [{ dims: [2, 2] }, /dims\[1\]: expected an integer above 2, got 2/],
    [{ dims: [0] }, /dims\[0\]: expected an integer above 0, got 0/],
    [{ dims: [1.5] }, /dims\[0\]: expected an integer above 0, got 1.5/],
    [{ dims: [1, 2], weights: [1] }, /weights: expected one for each of the 2 dims, got 1/],
    [{ dims: [1], weights: [NaN] }, /weight: expected a finite number, got NaN/],
  ])("refuses %o", (options, message) => {
    expect(() => createMatryoshka({ loss, ...options })).toThrow(message);
  });

  it("refuses a loss of tokens, and dims beyond the features", () => {
    expect(() => createMatryoshka({ loss: { ...loss, needs: ["tokens"] }, dims: [2] })).toThrow(
      /expected a loss of features, got "info-nce", which reads tokens. Put it beside/,
    );
    expect(() => runLoss(createMatryoshka({ loss, dims: [4] }), mixed)).toThrow(
      /dims: expected none beyond the 3 entries of image features, got 4/,
    );
  });
});
