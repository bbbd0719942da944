import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import type { Evaluation, EvaluationContext } from "@diptych/core";
import { createClassification } from "./classification.js";
import { classificationSchema } from "./classification-config.js";
import { axis, rows, toyContext, toySample } from "./toy-model.test-support.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "classification-"));
  await writeFile(join(folder, "names.txt"), "cat\ndog\n\ncup\r\ncar\n");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Config = z.input<typeof classificationSchema>;
const evaluate = (context: EvaluationContext, config: Config = {}): Promise<Evaluation> =>
  createClassification(classificationSchema.parse(config), { baseDir: folder }).evaluate(context);

/** The last one shows a cat. */
const SET = [
  toySample("a", 0, { class: "cat", place: "in" }),
  toySample("b", 1, { class: "dog", place: "in" }),
  toySample("c", 2, { class: "cup", place: "out" }),
  toySample("d", 0, { class: "car", place: "out" }),
];

describe("what it finds", () => {
  it("by item, class and group, with mistakes to look at", async () => {
    const found = await evaluate(toyContext(SET), { groups: ["place"], topK: [1, 4] });
    expect(found.metrics).toMatchObject({
      top1: { value: 0.75, queries: 4, candidates: 4 },
      top4: { value: 1 },
      meanPerClassRecall: { value: 0.75 },
      "worstGroup/place/top1": { value: 0.5, queries: 2 },
    });
    expect(found.items).toEqual({
      ids: ["a", "b", "c", "d"],
      values: { top1: [1, 1, 1, 0], top4: [1, 1, 1, 1] },
    });
    expect(found.classes).toEqual({
      names: ["car", "cat", "cup", "dog"],
      queries: [1, 1, 1, 1],
      recall: [0, 1, 1, 1],
      confusion: [
        [0, 1, 1],
        [1, 1, 1],
        [2, 2, 1],
        [3, 3, 1],
      ],
    });
    expect(found.groups?.["place"]?.["in"]?.["top1"]?.value).toBe(1);
    expect(found.notes).toEqual(['By place, top1 is least for "out": 0.5000 over 2 pictures.']);
    const [mistake] = found.examples ?? [];
    expect(mistake).toMatchObject({ kind: "mistake", id: "d", sample: 3, expected: "car" });
    expect(mistake?.answers[0]).toMatchObject({ text: "cat", right: false });
    expect(mistake?.answers[0]?.score).toBeCloseTo(1, 6);
    expect(found.examples?.filter(({ kind }) => kind === "success")).toHaveLength(3);
  });

  it("leaves classes without pictures out of means, and names them", async () => {
    const { metrics, classes, notes } = await evaluate(toyContext(SET.slice(0, 2)), {
      classNames: ["cat", "dog", "cup", "car"],
    });
    expect(metrics["meanPerClassRecall"]?.value).toBe(1);
    expect(classes?.recall).toEqual([1, 1, NaN, NaN]);
    expect(notes?.[0]).toMatch(/^2 of 4 classes have no picture in this set: cup, car\./);
  });

  it("takes confidences at the model's scale, 100 without one, or as asked", async () => {
    const error = async (change: object, config: Config = {}): Promise<number> =>
      (await evaluate(toyContext(SET, change), config)).metrics["calibrationError"]?.value ?? NaN;
    const confidence = (scale: number): number => 1 / (1 + 3 * Math.exp(-scale));
    expect(await error({ similarityScale: 2 })).toBeCloseTo(Math.abs(0.75 - confidence(2)), 9);
    expect(await error({})).toBeCloseTo(Math.abs(0.75 - confidence(100)), 9);
    expect(await error({}, { scale: 1 })).toBeCloseTo(Math.abs(0.75 - confidence(1)), 9);
  });

  it("counts ties and scores that are no numbers as wrong, and says so", async () => {
    const images = () => Promise.resolve(rows([NaN, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0]));
    const texts = (all: readonly string[]) => Promise.resolve(rows(...all.map(axis)));
    const { metrics, items, classes, notes } = await evaluate(
      toyContext(SET.slice(0, 3), { encode: { images, texts } }),
      { classNames: ["cat", "dog", "cup"] },
    );
    expect(items?.values["top1"]).toEqual([0, 0, 1]);
    // A tie's guess is a wrong one: the cat.
    expect(classes?.confusion).toContainEqual([1, 0, 1]);
    expect(metrics["calibrationError"]?.queries).toBe(2);
    expect(notes?.[0]).toMatch(/^1 of 3 pictures have scores that are not numbers/);
  });

  it("embeds a prompt that classes share once", async () => {
    const context = toyContext(SET);
    await evaluate(context, {
      templates: {
        cat: ["a cat", "an animal"],
        dog: ["a dog", "an animal"],
        cup: ["cup"],
        car: ["car"],
      },
    });
    expect([...context.seen.texts].sort()).toEqual(["a cat", "a dog", "an animal", "car", "cup"]);
  });

  it("stops where it is asked to", async () => {
    const stop = new AbortController();
    const report = (done: number, total: number): void => {
      if (done === 4 && total === 4) stop.abort();
    };
    await expect(evaluate(toyContext(SET, { signal: stop.signal, report }))).rejects.toThrow(
      /abort/i,
    );
  });
});

describe("labels", () => {
  it("are names, positions, or other names in the order of the classes", async () => {
    const classNames = ["cat", "dog", "cup"];
    const by = (...labels: string[]) =>
      toyContext(labels.map((label, i) => toySample(label + String(i), i, { class: label })));
    const top1 = async (context: EvaluationContext, config: Config): Promise<number> =>
      (await evaluate(context, { classNames, ...config })).metrics["top1"]?.value ?? NaN;
    expect(await top1(by("cat", "dog", "cup"), {})).toBe(1);
    expect(await top1(by("0", "1", "2"), { labelIs: "index" })).toBe(1);
    expect(await top1(by("n01", "n02", "n03"), { labelIs: "sorted" })).toBe(1);
    await expect(top1(by("0", "1", "3"), { labelIs: "index" })).rejects.toThrow(
      /sample 32 of toy: expected a class from 0 to 2, got "3"/,
    );
    await expect(top1(by("n01", "n01", "n03"), { labelIs: "sorted" })).rejects.toThrow(
      /expected 3 different labels.*got 2/,
    );
    await expect(top1(by("cat", "cow", "cup"), {})).rejects.toThrow(
      /class "cow": expected it among the 3 classNames/,
    );
    await expect(evaluate(by("0"), { labelIs: "index" })).rejects.toThrow(/Give classNames/);
  });

  it("that are wrong are found before a picture is embedded", async () => {
    const context = toyContext(SET);
    await expect(evaluate(context, { classNames: ["cow", "hen"] })).rejects.toThrow(/class "cat"/);
    await expect(evaluate(context, { label: "breed" })).rejects.toThrow(/expected a label "breed"/);
    await expect(evaluate(context, { classNames: { file: "no.txt" } })).rejects.toThrow(/ENOENT/);
    expect(context.seen).toEqual({ images: 0, texts: [] });
  });

  it("of groups must be there", async () => {
    await expect(evaluate(toyContext(SET), { groups: ["country"] })).rejects.toThrow(
      /sample a: group label "country": expected one value, got none \(labels: class, place\)/,
    );
  });

  it("say where a sample has no picture, or several", async () => {
    const broken = [SET[0]!, { ...SET[1]!, images: [] }];
    await expect(evaluate(toyContext(broken))).rejects.toThrow(
      /sample b of toy: expected one picture, got 0/,
    );
    const several = [
      SET[0]!,
      { ...SET[1]!, images: [...SET[1]!.images, ...SET[2]!.images] },
      SET[2]!,
    ];
    await expect(evaluate(toyContext(several))).rejects.toThrow(
      /sample b of toy: expected one picture, got 2/,
    );
  });
});

describe("several labels", () => {
  const MANY = [
    toySample("a", 0, { class: ["cat", "cup"] }),
    toySample("b", 1, { class: ["dog"] }),
    toySample("c", 2, { class: ["car"] }),
    toySample("d", 3, { class: [] }),
  ];
  it("give precision by class and by item", async () => {
    const found = await evaluate(toyContext(MANY), { multiLabel: true });
    // Of 4 pictures the cup is last with two others (its tie is one threshold), the car's is tied behind one wrong.
    expect(found.classes?.averagePrecision).toEqual([1 / 4, 1, 1 / 4, 1]);
    expect(found.metrics["meanAveragePrecision"]).toEqual({
      value: 2.5 / 4,
      queries: 4,
      candidates: 4,
    });
    expect(found.items?.values["labelRankingPrecision"]).toEqual([(1 + 2 / 4) / 2, 1, 1 / 4, NaN]);
    expect(found.notes).toContainEqual(expect.stringMatching(/^1 of 4 pictures have none/));
    expect(found.examples?.[0]).toMatchObject({ id: "c", expected: "car" });
  });
  it("are refused where one is expected", async () => {
    await expect(evaluate(toyContext(MANY))).rejects.toThrow(
      /expected one class, got a list of 2. Set multiLabel: true/,
    );
  });
});

describe("scores of the model's loss", () => {
  it("are averaged over a class's prompts", async () => {
    const asked: (readonly string[])[] = [];
    const score: EvaluationContext["score"] = (images, texts) => {
      asked.push(texts);
      // Log-likelihoods: the long prompt is less likely throughout.
      const of = (pixel: number, text: string): number =>
        (axis(text)[pixel] ?? 0) - text.length / 10;
      return Promise.resolve(
        rows(...images.map(({ data }) => texts.map((text) => of(data[0] ?? 0, text)))),
      );
    };
    const found = await evaluate(toyContext(SET, { score }), {
      scores: "loss",
      templates: ["{}", "a {}"],
      classNames: { file: "names.txt" },
    });
    expect(found.items?.values["top1"]).toEqual([1, 1, 1, 0]);
    expect(asked).toEqual([["cat", "a cat", "dog", "a dog", "cup", "a cup", "car", "a car"]]);
    const confidence = 1 / (1 + 3 * Math.exp(-1));
    expect(found.metrics["calibrationError"]?.value).toBeCloseTo(0.75 - confidence, 6);
  });
  it("need a model that has them", async () => {
    await expect(evaluate(toyContext(SET), { scores: "loss" })).rejects.toThrow(
      /expected a model whose loss scores pairs/,
    );
  });
  it("are taken where the model has them, and features where not, if its own are asked for", async () => {
    const constant: EvaluationContext["score"] = (images, texts) =>
      Promise.resolve(rows(...images.map(() => texts.map(() => 0))));
    const byLoss = await evaluate(toyContext(SET, { score: constant }), { scores: "own" });
    expect(byLoss.metrics["top1"]?.value).toBe(0);
    const byFeatures = await evaluate(toyContext(SET), { scores: "own" });
    expect(byFeatures.metrics["top1"]?.value).toBe(0.75);
  });
});
