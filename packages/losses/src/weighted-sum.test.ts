import {
  ConfigError,
  createParamCollector,
  createRandomInputs,
  hostTensorFrom,
  input,
  mean,
  mul,
  ones,
  symbolDim,
  type InputSpec,
  type Loss,
  type LossInputs,
  type ParamScope,
  type Teacher,
  type Value,
} from "@diptych/core";
import { evaluateValues } from "@diptych/core/reference";
import { describe, expect, it } from "vitest";
import { mixed } from "./batches.fixture.js";
import {
  expectFormula,
  infoNceFormula,
  supervisedContrastiveFormula,
} from "./formulas.test-support.js";
import { createInfoNce } from "./info-nce.js";
import { runLoss } from "./losses.test-support.js";
import { createSupervisedContrastive } from "./supervised-contrastive.js";
import { createWeightedSum, type WeightedTerm } from "./weighted-sum.js";

/** The mean of a modality's features times a learned number, which also scores pairs. */
const learned = (modality: string, scored: boolean): Loss => {
  const weigh = (scope: ParamScope, value: Value): Value =>
    mul(value, scope.parameter("weight", [], { initializer: ones }));
  return {
    name: "learned",
    needs: ["features"],
    auxiliary: [],
    scope: "sample",
    build: ({ scope }, { normalized }) => ({
      loss: weigh(scope, mean(normalized[modality]!)),
      metrics: {},
    }),
    ...(scored
      ? {
          buildScores: ({ scope }, { inputs }) => weigh(scope, inputs["scores"]!),
        }
      : {}),
  };
};

describe("the weighted sum", () => {
  const terms = [
    { loss: createInfoNce() },
    { loss: createSupervisedContrastive({ temperature: 0.5 }), weight: 0.5, name: "pictures" },
  ];

  it("adds its terms with their weights and logs each as it is", () => {
    const sum = createWeightedSum(terms);
    expectFormula(
      sum,
      (batch) => infoNceFormula({})(batch) + 0.5 * supervisedContrastiveFormula(0.5)(batch),
      mixed,
    );
    const [first, second] = terms.map(({ loss }) => runLoss(loss, mixed));
    expect(runLoss(sum, mixed).metrics).toEqual({
      "info-nce/loss": first!.loss,
      "info-nce/accuracy": first!.metrics["accuracy"],
      "info-nce/positiveSimilarity": first!.metrics["positiveSimilarity"],
      "pictures/loss": second!.loss,
      "pictures/positiveSimilarity": second!.metrics["positiveSimilarity"],
    });
    expect(sum.parts!.map(({ name, weight }) => [name, weight])).toEqual([
      ["info-nce", 1],
      ["pictures", 0.5],
    ]);
    expect(sum.auxiliary.map(({ name }) => name)).toEqual(["imageSample", "textSample"]);
  });

  it("sees the batch as soon as one term does", () => {
    const sample: Loss = { ...createInfoNce(), name: "sample", scope: "sample" };
    expect(createWeightedSum(terms).scope).toBe("batch");
    expect(createWeightedSum([{ loss: sample }]).scope).toBe("sample");
  });

  it("keeps the parameters of two terms of one type apart, also in sums of sums", () => {
    const inner = createWeightedSum([
      { loss: learned("image", false), name: "a" },
      { loss: learned("text", false), name: "b" },
    ]);
    const sum = createWeightedSum([
      { loss: inner, name: "both", weight: 2 },
      { loss: learned("image", false) },
    ]);
    const parameters = { "both.a.weight": [3], "both.b.weight": [5], "learned.weight": [7] };
    const found = runLoss(sum, { ...mixed, parameters });
    const mean = (rows: readonly (readonly number[])[]): number =>
      rows.flat().reduce((a, b) => a + b, 0) / rows.flat().length;
    const [image, text] = [mean(mixed.features.image), mean(mixed.features.text)];
    expect(found.loss).toBeCloseTo(2 * (3 * image + 5 * text) + 7 * image, 12);
    expect(found.gradients["both.b.weight"]![0]).toBeCloseTo(2 * text, 12);
    expect(found.metrics["both/b/loss"]).toBeCloseTo(5 * text, 12);
  });

  it("refuses no terms, equal names, odd weights and inputs that clash", () => {
    expect(() => createWeightedSum([])).toThrow(ConfigError);
    expect(() => createWeightedSum([terms[0]!, terms[0]!])).toThrow(
      /terms\[1\].name: expected each name once, got "info-nce" twice/,
    );
    expect(() => createWeightedSum([{ ...terms[0]!, weight: NaN }])).toThrow(
      /terms\[0\].weight: expected a finite number, got NaN/,
    );
    const auxiliary: InputSpec[] = [{ name: "imageSample", shape: [3], dtype: "int32" }];
    const clash: Loss = { ...createInfoNce(), name: "other", auxiliary };
    expect(() => createWeightedSum([terms[0]!, { loss: clash }])).toThrow(
      /auxiliary "imageSample": expected one shape/,
    );
  });
});

describe("scores of a weighted sum", () => {
  const scored = [
    { loss: learned("image", true), name: "a", weight: 2 },
    { loss: learned("image", true), name: "b", weight: -1 },
  ];

  it("are the weighted sum of its terms', with each term's parameters", () => {
    const scores = input("scores", [symbolDim("imageBatch"), symbolDim("textBatch")]);
    const inputs: LossInputs = {
      normalized: {},
      encoded: {},
      inputs: { scores },
      logitScale: input("logitScale", []),
      auxiliary: {},
    };
    const collector = createParamCollector();
    const context = {
      mode: "eval" as const,
      scope: collector.root.child("loss"),
      random: createRandomInputs(),
    };
    const value = createWeightedSum(scored).buildScores!(context, inputs);
    expect(collector.specs().map(({ name }) => name)).toEqual(["loss.a.weight", "loss.b.weight"]);
    const scalar = (x: number): ReturnType<typeof hostTensorFrom> =>
      hostTensorFrom("float32", [], [x]);
    const [result] = evaluateValues([value], {
      scores: hostTensorFrom("float32", [1, 2], [3, 4]),
      "loss.a.weight": scalar(5),
      "loss.b.weight": scalar(7),
    });
    expect([...result!.data]).toEqual([2 * 5 * 3 - 7 * 3, 2 * 5 * 4 - 7 * 4]);
  });

  it("are absent, and so the cosines, where a term has none, unless it weighs nothing", () => {
    const hasScores = (...terms: WeightedTerm[]): boolean =>
      "buildScores" in createWeightedSum(terms);
    expect(hasScores(...scored)).toBe(true);
    const contrastive = { loss: createInfoNce() };
    expect(hasScores(...scored, contrastive)).toBe(false);
    expect(hasScores(...scored, { ...contrastive, weight: 0 })).toBe(true);
    expect(hasScores({ ...scored[0]!, weight: 0 })).toBe(false);
  });
});

describe("teachers of a weighted sum", () => {
  const taught = (name: string, ...teachers: Teacher[]): { loss: Loss } => ({
    loss: { ...createInfoNce(), name, teachers },
  });
  const large: Teacher = { model: "large", inputs: { image: "large.image" } };

  it("are those of its terms, each model once with all that is asked of it", () => {
    const again: Teacher = { model: "large", inputs: { text: "large.text" }, scale: "large.scale" };
    const other: Teacher = { model: "small", inputs: { image: "small.image" } };
    const inner = createWeightedSum([taught("a", large, other), taught("b", again)]);
    expect(createWeightedSum([{ loss: inner }, taught("c", large)]).teachers).toEqual([
      {
        model: "large",
        inputs: { image: "large.image", text: "large.text" },
        scale: "large.scale",
      },
      other,
    ]);
    expect(createWeightedSum([{ loss: createInfoNce() }])).not.toHaveProperty("teachers");
  });

  it("feed no input in two ways", () => {
    const thief: Teacher = { model: "small", inputs: { image: "large.image" } };
    expect(() => createWeightedSum([taught("a", large), taught("b", thief)])).toThrow(
      /teachers: expected one to feed "large.image", got large and small/,
    );
  });

  it("may feed one thing under two names", () => {
    const renamed: Teacher = { model: "large", inputs: { image: "x", text: "y" } };
    const sum = createWeightedSum([taught("a", large), taught("b", renamed), taught("c", large)]);
    expect(sum.teachers).toEqual([large, renamed]);
  });
});
