import { readFileSync } from "node:fs";
import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createHostTensor } from "@diptych/core";
import { createCompute } from "@diptych/core/backend";
import { createReferenceBackend } from "@diptych/core/reference";
import { unitRows } from "../class-weights.js";
import { voteScores } from "../knn/knn.js";
import { findNearest } from "../knn/nearest.js";
import { takeRows } from "../scores/score-blocks.js";
import { createLogisticFitter, eachLogisticScore } from "./fit-logistic.js";

interface LogisticCase {
  readonly C: number;
  readonly accuracy: number;
  readonly predictions: readonly number[];
  readonly objective: number;
}
interface VoteCase {
  readonly k: number;
  readonly temperature?: number;
  readonly predictions: readonly number[];
}
interface ProbeGoldens {
  readonly learned: number;
  readonly width: number;
  readonly pixels: string;
  readonly digits: string;
  readonly logistic: readonly LogisticCase[];
  readonly two: LogisticCase;
  readonly uniform: readonly VoteCase[];
  readonly weighted: readonly VoteCase[];
}

const goldens = JSON.parse(
  readFileSync(new URL("../../fixtures/probe.json", import.meta.url), "utf8"),
) as ProbeGoldens;
const { learned, width } = goldens;
const digits = Array.from(goldens.digits, Number);
const pixels = Float32Array.from(inflateSync(Buffer.from(goldens.pixels, "base64")));
const all = createHostTensor("float32", [digits.length, width], pixels);
const compute = createCompute(createReferenceBackend());

const rowsWhere = (holds: (row: number) => boolean): number[] =>
  digits.flatMap((_, row) => (holds(row) ? [row] : []));
const train = rowsWhere((row) => row < learned);
const test = rowsWhere((row) => row >= learned);

const firstLargest = (scores: Float64Array): number => scores.indexOf(Math.max(...scores));
const shareOfEqual = (a: readonly number[], b: readonly number[]): number =>
  a.filter((value, i) => value === b[i]).length / b.length;

async function predict(
  golden: LogisticCase,
  { learn, ask, labels }: { learn: number[]; ask: number[]; labels: readonly number[] },
  tolerance = 1e-4,
) {
  const fitter = await createLogisticFitter({ compute, features: takeRows(all, learn), labels });
  const model = await fitter.fit({ C: golden.C, maxIterations: 1000, tolerance });
  await fitter.dispose();
  const predictions: number[] = [];
  const asked = { compute, features: takeRows(all, ask), classes: 10 };
  await eachLogisticScore(model, asked, (scores) => predictions.push(firstLargest(scores)));
  return { model, predictions };
}

describe("logistic regression is scikit-learn's on its digits", () => {
  it.each(goldens.logistic)("C = $C", async (golden) => {
    const labels = train.map((row) => digits[row] ?? -1);
    const { model, predictions } = await predict(golden, { learn: train, ask: test, labels });
    const truth = test.map((row) => digits[row] ?? -1);
    // 0.2 points of 797 pictures: one of them may differ.
    expect(Math.abs(shareOfEqual(predictions, truth) - golden.accuracy)).toBeLessThan(0.002);
    expect(model.reason).not.toBe("iterations");
    // Both end within the same tolerance of the gradient, from where the objective is still that far off.
    expect(model.objective / golden.objective).toBeGreaterThan(1 - 1e-4);
  });

  it("two classes, whose penalty is that of one plane", async () => {
    const of = (rows: readonly number[]) =>
      rows.filter((row) => [3, 8].includes(digits[row] ?? -1));
    const [learn, ask] = [of(train), of(test)];
    const labels = learn.map((row) => (digits[row] === 8 ? 1 : 0));
    const { model, predictions } = await predict(goldens.two, { learn, ask, labels }, 1e-6);
    expect(model.objective).toBeCloseTo(goldens.two.objective, 4);
    expect(shareOfEqual(predictions, goldens.two.predictions)).toBeGreaterThan(0.98);
  });
});

describe("nearest neighbours vote as in scikit-learn", () => {
  const unit = createHostTensor(
    "float32",
    [digits.length, width],
    unitRows(Float64Array.from(pixels), width),
  );
  const targets = train.map((row) => digits[row] ?? -1);
  const vote = async ({ k, temperature = 1 }: VoteCase, weights: "uniform" | "similarity") => {
    const [queries, candidates] = [takeRows(unit, test), takeRows(unit, train)];
    const found = await findNearest(queries, candidates, { compute, k, blockCandidates: 300 });
    const options = { classes: 10, weights, temperature };
    return found.map((neighbours) => firstLargest(voteScores(neighbours, targets, options)));
  };
  it.each(goldens.uniform)("uniform, k = $k", async (golden) => {
    expect(await vote(golden, "uniform")).toEqual(golden.predictions);
  });
  it.each(goldens.weighted)("by similarity, k = $k", async (golden) => {
    expect(await vote(golden, "similarity")).toEqual(golden.predictions);
  });
});
