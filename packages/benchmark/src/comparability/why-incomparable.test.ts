import { describe, expect, test } from "vitest";
import type { DataIdentity, Provenance } from "../record.js";
import { whyIncomparable, type ComparabilityOptions } from "./why-incomparable.js";

const testData: DataIdentity = {
  name: "emoji",
  config: { type: "emoji", split: "test" },
  size: 500,
  fingerprint: "a".repeat(64),
  note: "",
};
const trainData: DataIdentity = { ...testData, size: 8000, fingerprint: "b".repeat(64) };

const base: Provenance = {
  code: { diptych: "0.1.0", node: "v20.20.0", commit: "c".repeat(40), dirty: false },
  config: {
    name: "a",
    loss: { type: "info-nce" },
    data: { transform: { type: "augment", flip: false }, train: { type: "emoji" } },
    training: { batchSize: 64, clipNorm: 1 },
  },
  weights: "d".repeat(64),
  trainData,
  testData,
  evaluator: { type: "zeroshot-classification", templates: ["a photo of a {}."] },
  preprocessing: { imageHeight: 64, interpolation: "bicubic" },
  precision: "fp32",
  backend: "ONNX Runtime 1.30.0, cpu, 2 threads",
  seed: 1,
  training: {
    steps: 100,
    samples: 6400,
    flops: 1e12,
    seconds: 60,
    batchSize: 64,
    parameters: 1e6,
  },
  date: "2026-01-01T00:00:00.000Z",
};

const against = (
  change: Partial<Provenance>,
  options: ComparabilityOptions = {},
): readonly (readonly [string, string, string])[] =>
  whyIncomparable(base, { ...base, ...change }, options).map(
    ({ severity, aspect, reason }) => [severity, aspect, reason] as const,
  );

describe("whyIncomparable", () => {
  test("has nothing against towers, losses and optimizers, dates and weights", () => {
    expect(
      against({
        config: { ...base.config, name: "b", loss: { type: "sigmoid" }, model: { embedDim: 3 } },
        weights: "e".repeat(64),
        date: "2027-01-01T00:00:00.000Z",
      }),
    ).toEqual([]);
  });

  test.each<[string, Partial<Provenance>, string]>([
    [
      "test data",
      { testData: { ...testData, fingerprint: "f".repeat(64) } },
      'They were measured on other data: "emoji" (500 samples, fingerprint aaaaaaaaaaaa) and "emoji" (500 samples, fingerprint ffffffffffff).',
    ],
    [
      "evaluator",
      { evaluator: { ...base.evaluator, templates: ["{}"] } },
      'They were measured with templates ["a photo of a {}."] and ["{}"].',
    ],
    [
      "preprocessing",
      { preprocessing: { ...base.preprocessing, interpolation: "bilinear" } },
      'Pictures were prepared with interpolation "bicubic" and "bilinear".',
    ],
    ["precision", { precision: "fp16" }, "They ran in fp32 and in fp16."],
    [
      "training data",
      { trainData: { ...trainData, fingerprint: "f".repeat(64) } },
      'They were trained on other data: "emoji" (8000 samples, fingerprint bbbbbbbbbbbb) and "emoji" (8000 samples, fingerprint ffffffffffff).',
    ],
  ])("refuses another %s", (aspect, change, reason) => {
    expect(against(change)).toEqual([["refused", aspect, reason]]);
    expect(against(change, { vary: [aspect as never] })).toEqual([]);
  });

  test("the same data under another name is the same data", () => {
    expect(against({ testData: { ...testData, name: "copy", config: {} } })).toEqual([]);
  });

  test("without fingerprints it cannot be told, unless sizes differ", () => {
    const without = { ...testData, fingerprint: null, note: "a stream has none." };
    expect(against({ testData: without })[0]).toEqual([
      "unknown",
      "test data",
      'Whether they were measured on the same data cannot be told: "emoji" (500 samples, fingerprint aaaaaaaaaaaa) and "emoji" (500 samples, no fingerprint); a stream has none.',
    ]);
    expect(against({ testData: { ...without, size: 400 } })[0]![0]).toBe("refused");
    expect(against({ trainData: null })[0]!.slice(0, 2)).toEqual(["unknown", "training data"]);
  });

  test("compares budgets where there is one, up to a step", () => {
    const spent = (samples: number): Partial<Provenance> => ({
      training: { ...base.training!, samples },
    });
    const budget = { kind: "samples", amount: 6400 } as const;
    expect(against(spent(9999))).toEqual([]);
    expect(against(spent(6400 + 64), { budget })).toEqual([]);
    expect(against(spent(6400 + 200), { budget })).toEqual([
      ["refused", "budget", "They spent 6400 and 6600 pictures on training."],
    ]);
    expect(against({ training: null }, { budget })[0]![0]).toBe("unknown");
  });

  test("marks seconds that are further apart than timing explains, and refuses what is no equal time", () => {
    const budget = { kind: "seconds", amount: base.training!.seconds } as const;
    const spent = (share: number): Partial<Provenance> => ({
      training: { ...base.training!, seconds: share * budget.amount },
    });
    expect(against(spent(1.04), { budget })).toEqual([]);
    expect(against(spent(1.2), { budget })).toEqual([
      [
        "unknown",
        "budget",
        "They spent 60 and 72 seconds on training: the machine was not as fast as when their steps were timed.",
      ],
    ]);
    expect(against(spent(0.7), { budget })[0]!.slice(0, 2)).toEqual(["refused", "budget"]);
  });

  test("notes seeds, batches, recipes, backends and code, after what is graver", () => {
    const found = against({
      precision: "fp16",
      seed: 2,
      training: { ...base.training!, batchSize: 128 },
      config: {
        ...base.config,
        data: { transform: { type: "augment", flip: true }, train: { type: "emoji" } },
        training: { batchSize: 128, clipNorm: null },
      },
      backend: "TensorFlow",
      code: { ...base.code, diptych: "0.2.0", dirty: true },
    });
    expect(found.map(([severity, aspect]) => `${severity} ${aspect}`)).toEqual([
      "refused precision",
      "note data order",
      "note data order",
      "note recipe",
      "note backend",
      "note code",
      "note code",
    ]);
    expect(found[3]![2]).toBe(
      "Beside towers, loss and optimizer, their settings differ: data.transform.flip (false and true), training.clipNorm (1 and null).",
    );
  });

  test("the order of keys is no difference", () => {
    expect(against({ preprocessing: { interpolation: "bicubic", imageHeight: 64 } })).toEqual([]);
  });
});
