import { describe, expect, it } from "vitest";
import { createHostTensor, createRandom, type EvaluationContext, type Sample } from "@diptych/core";
import { createCompute } from "@diptych/core/backend";
import { createReferenceBackend } from "@diptych/core/reference";
import { createKnn } from "../knn/knn.js";
import { knnSchema } from "../knn/knn-config.js";
import { findNearest } from "../knn/nearest.js";
import { createFewShot } from "../linear-probe/few-shot.js";
import { createLogisticFitter } from "../linear-probe/fit-logistic.js";
import { createLinearProbe } from "../linear-probe/linear-probe.js";
import { fewShotSchema, linearProbeSchema } from "../linear-probe/linear-probe-config.js";
import { sweepStrength } from "../linear-probe/sweep-strength.js";
import { rows, toyContext, toySample } from "../toy-model.test-support.js";
import { drawShots, splitRows } from "./draw-rows.js";
import { meanInterval } from "./mean-interval.js";

const compute = createCompute(createReferenceBackend());

/** Pictures by class, a pixel each: what the model sees is the axis of the pixel, what they are is the label. */
const labelled = (prefix: string, list: readonly (readonly [number, string])[]): Sample[] =>
  list.map(([pixel, name], i) => toySample(`${prefix}${i}`, pixel, { class: name }));

const TRAIN = labelled("t", [
  [0, "cat"],
  [0, "cat"],
  [0, "cat"],
  [1, "dog"],
  [1, "dog"],
  [1, "dog"],
  [2, "cup"],
  [2, "cup"],
  [0, "cup"],
]);
const TEST = labelled("e", [
  [0, "cat"],
  [1, "dog"],
  [2, "cup"],
  [1, "cat"],
]);

function contextOf(
  train: readonly Sample[] | undefined,
  test: readonly Sample[],
): EvaluationContext {
  const context = toyContext(test);
  return train ? { ...context, trainDataset: toyContext(train).dataset } : context;
}

const probe = (config: object = {}) =>
  createLinearProbe(linearProbeSchema.parse({ topK: [1], ...config }));
const fewShot = (config: object = {}) =>
  createFewShot(fewShotSchema.parse({ shots: [1, 2], ...config }));
const knn = (config: object = {}) => createKnn(knnSchema.parse({ k: 3, topK: [1], ...config }));

describe("linear probe", () => {
  it("learns from one set and answers for the other", async () => {
    const { metrics, items, classes, examples } = await probe().evaluate(contextOf(TRAIN, TEST));
    expect(metrics["top1"]).toEqual({ value: 0.75, queries: 4, candidates: 3 });
    expect(items).toEqual({ ids: ["e0", "e1", "e2", "e3"], values: { top1: [1, 1, 1, 0] } });
    expect(classes?.names).toEqual(["cat", "cup", "dog"]);
    expect(classes?.confusion).toContainEqual([0, 2, 1]);
    expect(examples?.[0]).toMatchObject({ kind: "mistake", id: "e3", expected: "cat" });
  });

  it("asks for features as they are, or of length 1", async () => {
    const asked: (boolean | undefined)[] = [];
    const context = contextOf(TRAIN, TEST);
    const encode: EvaluationContext["encode"] = {
      ...context.encode,
      images: (images, options) => {
        asked.push(options?.normalize);
        return context.encode.images(images, options);
      },
    };
    await probe().evaluate({ ...context, encode });
    await probe({ normalize: true }).evaluate({ ...context, encode });
    expect(asked).toEqual([false, false, true, true]);
  });

  it("finds C by a sweep, which it tells", async () => {
    const { metrics, notes } = await probe({ C: "sweep" }).evaluate(contextOf(TRAIN, TEST));
    expect(metrics["top1"]?.value).toBe(0.75);
    expect(notes?.[0]).toMatch(/^C = .+ was found by a sweep of \d+ values, 8 a decade, on 3 of 9/);
  });

  it("counts pictures of unknown classes as wrong, and says so", async () => {
    const test = [...TEST, ...labelled("u", [[3, "car"]])];
    const { metrics, notes } = await probe().evaluate(contextOf(TRAIN, test));
    expect(metrics["top1"]?.value).toBe(0.6);
    expect(notes).toContainEqual(
      "1 of 4 classes have no picture to learn from (car): their pictures count as wrong.",
    );
  });

  it("says that it did not end", async () => {
    const { notes } = await probe({ maxIterations: 1 }).evaluate(contextOf(TRAIN, TEST));
    expect(notes?.join()).toMatch(/ended after 1 iterations without having converged/);
  });

  it("wants a training set, two classes, labels in range and finite features", async () => {
    await expect(probe().evaluate(contextOf(undefined, TEST))).rejects.toThrow(
      /linear-probe: trainDataset: expected a dataset to learn from, got none/,
    );
    const cats = TRAIN.filter(({ labels }) => labels?.["class"] === "cat");
    await expect(probe().evaluate(contextOf(cats, TEST))).rejects.toThrow(/at least two .*got 1/);
    await expect(probe({ label: "breed" }).evaluate(contextOf(TRAIN, TEST))).rejects.toThrow(
      /expected a label "breed"/,
    );
    await expect(probe().evaluate(contextOf([], TEST))).rejects.toThrow(/at least one sample/);
    const features = rows([1, 0], [0, 1]);
    const broken = createHostTensor("float32", [2, 2], Float32Array.of(1, NaN, 0, 1));
    await expect(
      createLogisticFitter({ compute, features: broken, labels: [0, 1] }),
    ).rejects.toThrow(/expected finite numbers, got NaN in row 0/);
    await expect(createLogisticFitter({ compute, features, labels: [0, 1, 1] })).rejects.toThrow(
      /labels: expected one for each/,
    );
  });
});

describe("the sweep", () => {
  it("finds a peak within an eighth of a decade, with few fits", async () => {
    const peak = -2.3;
    const { best, tried } = await sweepStrength((C) =>
      Promise.resolve(1 - Math.abs(Math.log10(C) - peak) / 20),
    );
    expect(Math.abs(Math.log10(best.C) - peak)).toBeLessThan(1 / 16 + 1e-9);
    expect(tried.length).toBe(7 + 8);
  });
  it("takes the stronger penalty of equal ones, and ends at the ends", async () => {
    expect((await sweepStrength(() => Promise.resolve(1))).best.C).toBeCloseTo(1e-6, 12);
    expect((await sweepStrength((C) => Promise.resolve(C))).best.C).toBeCloseTo(1e6, 0);
  });
});

describe("few shots", () => {
  it("gives means over draws with intervals, and each picture's share", async () => {
    const { metrics, items, notes } = await fewShot({ seeds: 4 }).evaluate(contextOf(TRAIN, TEST));
    const { value = NaN } = metrics["2-shot/top1"] ?? {};
    expect(metrics["2-shot/top1Low"]?.value).toBeLessThanOrEqual(value);
    expect(metrics["2-shot/top1High"]?.value).toBeGreaterThanOrEqual(value);
    const shares = items?.values["2-shot/top1"] ?? [];
    expect(shares.reduce((sum, share) => sum + share, 0) / shares.length).toBeCloseTo(value, 12);
    expect(shares[1]).toBe(1);
    expect(notes).toEqual([]);
  });
  it("says which classes have too few, and takes no zero", async () => {
    const { notes } = await fewShot({ shots: [4], seeds: 1 }).evaluate(contextOf(TRAIN, TEST));
    expect(notes).toEqual([
      "4 shots: 3 of 3 classes have fewer pictures to learn from, and give all they have.",
    ]);
    expect(() => fewShotSchema.parse({ shots: [0] })).toThrow();
    expect(() => fewShotSchema.parse({ seeds: 0 })).toThrow();
  });
  it("draws more shots around fewer, and others by another seed", () => {
    const targets = Array.from({ length: 60 }, (_, i) => i % 3);
    const draw = (shots: number, seed: number) =>
      drawShots(targets, shots, createRandom(1).split(seed)).rows;
    expect(draw(4, 0)).toHaveLength(12);
    for (const row of draw(2, 0)) expect(draw(4, 0)).toContain(row);
    expect(draw(4, 0)).not.toEqual(draw(4, 1));
  });
  it("splits each class, and keeps what is alone", () => {
    const { kept, apart } = splitRows([0, 0, 0, 0, 0, 1, 1, 2], 0.2, createRandom(1));
    expect([...kept, ...apart].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(apart).toHaveLength(2);
    expect(kept).toContain(7);
  });
  it("has Student's interval", () => {
    // scipy.stats.t.interval(0.95, 4, loc=mean, scale=sem) of 1…5, and of 1…50.
    const five = meanInterval([1, 2, 3, 4, 5]);
    expect([five.mean, five.low]).toEqual([3, expect.closeTo(1.0367568385, 6)]);
    const fifty = meanInterval(Array.from({ length: 50 }, (_, i) => i + 1));
    expect(fifty.low).toBeCloseTo(21.3570764, 3);
    expect(meanInterval([1]).low).toBeNaN();
  });
});

describe("k nearest neighbours", () => {
  it("vote for the class", async () => {
    const { metrics, examples } = await knn({ weights: "uniform" }).evaluate(
      contextOf(TRAIN, TEST),
    );
    expect(metrics["top1"]?.value).toBe(0.75);
    expect(examples?.at(-1)).toMatchObject({ kind: "neighbours" });
    expect(examples?.at(-1)?.answers[0]).toMatchObject({ score: 1 });
  });
  it("wants as many pictures as neighbours", async () => {
    await expect(knn({ k: 10 }).evaluate(contextOf(TRAIN, TEST))).rejects.toThrow(
      /at most the 9 pictures to learn from, got 10/,
    );
    await expect(knn().evaluate(contextOf(undefined, TEST))).rejects.toThrow(/knn: trainDataset/);
  });
  it("are exact among ties and across blocks; what is no number is nobody's neighbour", async () => {
    const random = createRandom(5);
    const draw = (count: number) =>
      rows(
        ...Array.from({ length: count }, () =>
          Array.from({ length: 4 }, () => random.integer(3) - 1),
        ),
      );
    const [queries, candidates] = [draw(9), draw(200)];
    const options = { compute, k: 5, blockQueries: 4, blockCandidates: 30 };
    const found = await findNearest(queries, candidates, options);
    found.forEach((neighbours, query) => {
      const scores = Array.from({ length: 200 }, (_, i) =>
        [0, 1, 2, 3].reduce(
          (sum, j) => sum + (queries.data[query * 4 + j] ?? 0) * (candidates.data[i * 4 + j] ?? 0),
          0,
        ),
      );
      const order = [...scores.keys()].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
      expect(neighbours.candidates).toEqual(order.slice(0, 5));
    });
    const broken = rows([1, 0], [NaN, 0], [0, 1]);
    const near = await findNearest(rows([1, 0], [NaN, 1]), broken, { compute, k: 3 });
    expect(near.map(({ candidates: all }) => all)).toEqual([[0, 2], []]);
    const endless = await findNearest(rows([1, 0]), rows([0, 1], [Infinity, 1]), { compute, k: 1 });
    expect(endless).toEqual([{ candidates: [1], scores: [Infinity] }]);
  });
});
