import { describeLossContract } from "@diptych/testing";
import { describe, expect, it } from "vitest";
import { distillationSchema } from "./config.js";
import { createDistillation } from "./distillation.js";
import {
  dot,
  runLoss,
  unitVectors,
  type GivenTensor,
  type LossCase,
} from "./losses.test-support.js";
import { createWeightedSum } from "./weighted-sum.js";

const image = unitVectors(3, 3, 1);
const text = unitVectors(4, 3, 2);
const teacherImage = unitVectors(3, 5, 3);
const teacherText = unitVectors(4, 5, 4);
const teacherScale = 9;

const tensor = (rows: readonly (readonly number[])[]): GivenTensor => ({
  shape: [rows.length, rows[0]!.length],
  values: rows.flat(),
});
const fed = {
  "teacher.big.image": tensor(teacherImage),
  "teacher.big.text": tensor(teacherText),
  "teacher.big.scale": { shape: [], values: [teacherScale] },
};

const softmax = (logits: readonly number[]): number[] => {
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
  return logits.map((logit) => Math.exp(logit) / total);
};
const average = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Cross-entropy of the student's softmax over `candidates` to the teacher's, mean over `queries`. */
function oneWay(
  [queries, candidates, scale]: readonly [number[][], number[][], number],
  [teacherQueries, teacherCandidates]: readonly [number[][], number[][]],
): number {
  return average(
    queries.map((query, i) => {
      const student = softmax(candidates.map((one) => scale * dot(query, one)));
      const target = softmax(
        teacherCandidates.map((one) => teacherScale * dot(teacherQueries[i]!, one)),
      );
      return -target.reduce((sum, p, j) => sum + p * Math.log(student[j]!), 0);
    }),
  );
}

/** Gradients against central differences of the loss itself. */
function checkGradients(loss: ReturnType<typeof createDistillation>, at: LossCase): void {
  const { gradients } = runLoss(loss, at);
  const step = 1e-5;
  const slope = (change: (by: number) => LossCase): number =>
    (runLoss(loss, change(step)).loss - runLoss(loss, change(-step)).loss) / (2 * step);
  const moved = (values: readonly number[], index: number, by: number): number[] =>
    values.map((value, i) => (i === index ? value + by : value));
  for (const [modality, rows] of Object.entries(at.features)) {
    const width = rows[0]!.length;
    rows.flat().forEach((_, index) => {
      const numeric = slope((by) => {
        const flat = moved(rows.flat(), index, by);
        const changed = rows.map((__, r) => flat.slice(r * width, (r + 1) * width));
        return { ...at, features: { ...at.features, [modality]: changed } };
      });
      expect(gradients[modality]![index], `${modality} ${index}`).toBeCloseTo(numeric, 7);
    });
  }
  for (const [name, values] of Object.entries(at.parameters ?? {})) {
    values.forEach((_, index) => {
      const numeric = slope((by) => ({
        ...at,
        parameters: { ...at.parameters, [name]: moved(values, index, by) },
      }));
      expect(gradients[name]![index], `${name} ${index}`).toBeCloseTo(numeric, 7);
    });
  }
  const numeric = slope((by) => ({ ...at, logitScale: (at.logitScale ?? Math.log(10)) + by }));
  expect(gradients["logitScale"]![0]).toBeCloseTo(numeric, 7);
}

describe("distillation of similarities", () => {
  const loss = createDistillation({ teacher: "big" });
  const at: LossCase = { features: { image, text }, logitScale: Math.log(7), auxiliary: fed };

  it("is the cross-entropy to the teacher's softmax, both ways", () => {
    const rows = oneWay([image, text, 7], [teacherImage, teacherText]);
    const columns = oneWay([text, image, 7], [teacherText, teacherImage]);
    const found = runLoss(loss, at);
    expect(found.loss).toBeCloseTo((rows + columns) / 2, 12);
    const best = (row: readonly number[]): number => row.indexOf(Math.max(...row));
    const agreement = average(
      image.map((row, i) =>
        best(text.map((one) => dot(row, one))) ===
        best(teacherText.map((one) => dot(teacherImage[i]!, one)))
          ? 1
          : 0,
      ),
    );
    expect(found.metrics["agreement"]).toBeCloseTo(agreement, 12);
  });

  it("has the derivative of its value", () => checkGradients(loss, at));

  it("diverges by nothing, without gradients, from a teacher that says the same", () => {
    const own = {
      "teacher.big.image": tensor(image),
      "teacher.big.text": tensor(text),
      "teacher.big.scale": { shape: [], values: [7] },
    };
    const found = runLoss(loss, { ...at, auxiliary: own });
    expect(found.metrics["divergence"]).toBeCloseTo(0, 12);
    expect(found.metrics["agreement"]).toBe(1);
    for (const value of found.gradients["image"]!) expect(value).toBeCloseTo(0, 12);
    expect(runLoss(loss, at).metrics["divergence"]).toBeGreaterThan(0.01);
  });

  it("stays finite at scales far beyond training", () => {
    const far = { ...fed, "teacher.big.scale": { shape: [], values: [1e6] } };
    const {
      loss: value,
      gradients,
      metrics,
    } = runLoss(loss, {
      ...at,
      logitScale: Math.log(1e6),
      auxiliary: far,
    });
    const all = [value, ...Object.values(gradients).flat(), ...Object.values(metrics)];
    expect(all.every(Number.isFinite)).toBe(true);
  });

  it("says which model it learns from, and what it is fed as", () => {
    expect(loss.teachers).toEqual([
      {
        model: "big",
        inputs: { image: "teacher.big.image", text: "teacher.big.text" },
        scale: "teacher.big.scale",
      },
    ]);
    expect(loss.scope).toBe("batch");
    const widths = ["runs/a", "runs-a", "runs_a"].map(
      (teacher) => createDistillation({ teacher }).auxiliary[0]!.shape[1],
    );
    expect(new Set(widths.map((width) => JSON.stringify(width))).size).toBe(3);
  });
});

describe("distillation of features", () => {
  const loss = createDistillation({ teacher: "big", match: "features", teacherDim: 5 });
  const weights = (seed: number): number[] => unitVectors(5, 3, seed).flat();
  const parameters = {
    "image_projection.weight": weights(5),
    "image_projection.bias": [0.1, -0.2, 0.3, 0, 0.5],
    "text_projection.weight": weights(6),
    "text_projection.bias": [0, 0.2, -0.1, 0.4, 0],
  };
  const wide = {
    "teacher.big.image.5": tensor(teacherImage),
    "teacher.big.text.5": tensor(teacherText),
  };
  const at: LossCase = { features: { image, text }, auxiliary: wide, parameters };

  const mapped = (row: readonly number[], modality: "image" | "text"): number[] => {
    const bias = parameters[`${modality}_projection.bias`];
    const weight = parameters[`${modality}_projection.weight`];
    const raw = bias.map((b, i) => b + dot(weight.slice(i * 3, i * 3 + 3), row));
    const length = Math.sqrt(dot(raw, raw));
    return raw.map((value) => value / length);
  };
  const distances = (rows: number[][], teacher: number[][], modality: "image" | "text"): number =>
    average(rows.map((row, i) => 2 - 2 * dot(mapped(row, modality), teacher[i]!)));

  it("is the squared distance from the teacher's, through a map where widths differ", () => {
    const found = runLoss(loss, at);
    const expected = distances(image, teacherImage, "image") + distances(text, teacherText, "text");
    expect(found.loss).toBeCloseTo(expected, 12);
    expect(found.metrics["imageCosine"]! + found.metrics["textCosine"]!).toBeCloseTo(
      2 - expected / 2,
      12,
    );
    checkGradients(loss, at);
  });

  it("needs no map for a teacher of its own width, and one modality is enough", () => {
    const same = createDistillation({
      teacher: "big",
      match: "features",
      teacherDim: 3,
      modalities: ["text"],
    });
    const teacher = unitVectors(4, 3, 9);
    const found = runLoss(same, {
      features: { text },
      auxiliary: { "teacher.big.text.3": tensor(teacher) },
    });
    expect(found.loss).toBeCloseTo(
      average(text.map((row, i) => 2 - 2 * dot(row, teacher[i]!))),
      12,
    );
    expect(Object.keys(found.gradients)).toEqual(["text", "logitScale"]);
    expect(same.auxiliary.map(({ name }) => name)).toEqual(["teacher.big.text.3"]);
    expect(same.scope).toBe("sample");
  });
});

describe("both beside each other", () => {
  it("learn from one teacher in one sum, whether its width is known or not", () => {
    const similarities = createDistillation({ teacher: "big" });
    const features = createDistillation({ teacher: "big", match: "features", teacherDim: 3 });
    const sum = createWeightedSum([
      { loss: similarities },
      { loss: features, weight: 0.5, name: "features" },
    ]);
    const rows = { image: unitVectors(3, 3, 3), text: unitVectors(4, 3, 4) };
    const auxiliary = {
      "teacher.big.image": tensor(rows.image),
      "teacher.big.text": tensor(rows.text),
      "teacher.big.image.3": tensor(rows.image),
      "teacher.big.text.3": tensor(rows.text),
      "teacher.big.scale": { shape: [], values: [teacherScale] },
    };
    const at: LossCase = { features: { image, text }, auxiliary };
    expect(runLoss(sum, at).loss).toBeCloseTo(
      runLoss(similarities, at).loss + 0.5 * runLoss(features, at).loss,
      12,
    );
    expect(sum.teachers!.flatMap(({ inputs }) => Object.values(inputs))).toEqual(
      Object.keys(auxiliary).slice(0, 4),
    );
  });
});

describe("distillation's options", () => {
  it("refuses what cannot be compared", () => {
    expect(() => createDistillation({ teacher: "big", modalities: ["image"] })).toThrow(
      /modalities: expected two to compare, got image/,
    );
    expect(() => createDistillation({ teacher: "big", match: "features" })).toThrow(
      /teacherDim: expected the width of the teacher's features/,
    );
    const parse = (options: object): boolean =>
      distillationSchema.safeParse({ teacher: "big", ...options }).success;
    expect(parse({})).toBe(true);
    expect(parse({ modalities: ["image"] })).toBe(false);
    expect(parse({ modalities: ["image"], match: "features" })).toBe(true);
    expect(parse({ modalities: ["image", "image"] })).toBe(false);
    expect(parse({ teacher: "" })).toBe(false);
    expect(parse({ temperature: 2 })).toBe(false);
  });

  it("names a modality that the student lacks", () => {
    const loss = createDistillation({ teacher: "big", modalities: ["audio", "text"] });
    expect(() =>
      runLoss(loss, {
        features: { image, text },
        auxiliary: { ...fed, "teacher.big.audio": tensor(teacherImage) },
      }),
    ).toThrow(/losses\/distillation: modalities: expected some of image, text, got "audio"/);
  });
});

describeLossContract({
  name: "distillation, similarities",
  create: () => createDistillation({ teacher: "big", teacherDim: 4 }),
});
describeLossContract({
  name: "distillation, similarities of any width",
  create: () => createDistillation({ teacher: "big" }),
});
describeLossContract({
  name: "distillation, features",
  create: () => createDistillation({ teacher: "big", match: "features", teacherDim: 6 }),
});
