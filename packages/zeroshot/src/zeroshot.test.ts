import { describe, expect, it } from "vitest";
import { buildClassWeights } from "./class-weights.js";
import { createClassification } from "./classification.js";
import { classificationSchema } from "./classification-config.js";
import { classify } from "./classify.js";
import { meanPerClassRecall, recallAt } from "./metrics.js";
import { rankOfBest, similarities, topCandidates } from "./ranking.js";
import { fillTemplate } from "./templates.js";
import { rows, toyContext, toySample } from "./toy-model.test-support.js";

/** The model errs on the last one. */
const SET = [
  toySample("a", 0, { class: "cat" }),
  toySample("b", 1, { class: "dog" }),
  toySample("c", 2, { class: "cup" }),
  toySample("d", 0, { class: "car" }),
];

describe("ranking", () => {
  it.each([1, 3, 4, 7, 9])("scores each of %i candidates by its dot product", (count) => {
    const candidates = Array.from({ length: count }, (_, row) => [row - 2, 0.5, row * row]);
    const scores = similarities(rows([0, 0, 0], [3, 2, -1]), 1, rows(...candidates));
    expect([...scores]).toEqual(candidates.map((_, row) => 3 * (row - 2) + 1 - row * row));
  });
  it("counts ties against the query", () => {
    expect(rankOfBest(Float64Array.of(1, 1, 1), new Set([0]))).toBe(2);
    expect(rankOfBest(Float64Array.of(3, 1, 2), new Set([0]))).toBe(0);
    expect(rankOfBest(Float64Array.of(3, 1, 2), new Set([1, 2]))).toBe(1);
    expect(rankOfBest(Float64Array.of(NaN, NaN), new Set([0]))).toBe(2);
  });
  it("lists the best first", () => {
    expect(topCandidates(Float64Array.of(1, 3, 3, 2), 3)).toEqual([1, 2, 3]);
  });
});

describe("metrics", () => {
  it("counts queries and candidates", () => {
    expect(recallAt([0, 4, 5], 5, 100)).toEqual({ value: 2 / 3, queries: 3, candidates: 100 });
    expect(recallAt([], 1, 5).value).toBeNaN();
    expect(meanPerClassRecall([0, 0, 0, 1], [1, 1, 1, 2], 2).value).toBe(0.5);
  });
});

describe("class weights", () => {
  it("are the unit mean of unit vectors", async () => {
    const texts = (all: readonly string[]) =>
      Promise.resolve(rows(...all.map((text) => (text.startsWith("x") ? [1, 0] : [0, 1]))));
    const weights = await buildClassWeights({
      encode: { texts },
      classNames: ["n"],
      templates: ["x {}", "y {}", "z {c}"],
      batchSize: 2,
    });
    expect(weights.data[0]).toBeCloseTo(1 / Math.sqrt(5), 6);
    expect(weights.data[1]).toBeCloseTo(2 / Math.sqrt(5), 6);
  });
  it("want a place for the name, and take names with dollars as they are", () => {
    expect(() => fillTemplate("a photo", "cat")).toThrow(/a place "\{\}"/);
    expect(fillTemplate("a {label} $1", "$&")).toBe("a $& $1");
  });
});

describe("classification", () => {
  it("gives ranks and shares", () => {
    const result = classify(rows([1, 0], [0.6, 0.8]), rows([1, 0], [0, 1]), [0, 0]);
    expect(result.ranks).toEqual([0, 1]);
    expect(result.metrics["top1"]?.value).toBe(0.5);
  });
  it("evaluates a set with its own class names", async () => {
    const evaluator = createClassification(classificationSchema.parse({ topK: [1, 4] }), {
      baseDir: "/",
    });
    const { metrics } = await evaluator.evaluate(toyContext(SET));
    expect(metrics["top1"]).toEqual({ value: 0.75, queries: 4, candidates: 4 });
    expect(metrics["top4"]?.value).toBe(1);
  });
  it("says which label is missing and that a set is empty", async () => {
    const evaluator = createClassification(classificationSchema.parse({ label: "breed" }), {
      baseDir: "/",
    });
    await expect(evaluator.evaluate(toyContext(SET))).rejects.toThrow(
      /expected a label "breed", got class/,
    );
    await expect(evaluator.evaluate(toyContext([]))).rejects.toThrow(
      /expected at least one sample/,
    );
  });
});
