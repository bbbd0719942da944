import { ConfigError, type Loss } from "@diptych/core";
import { describe, expect, it } from "vitest";
import { createInfoNce } from "./info-nce.js";
import { dot, runLoss, unitVectors, type LossCase } from "./losses.test-support.js";
import { createSigmoidLoss } from "./sigmoid.js";
import { createSupervisedContrastive } from "./supervised-contrastive.js";
import { createWeightedSum } from "./weighted-sum.js";

const scale = Math.log(7);
const image = unitVectors(4, 3, 1);
const text = unitVectors(3, 3, 2);
const samples = { image: [5, 6, 5, 9], text: [6, 5, 5] };

const logSumExp = (values: readonly number[]): number =>
  Math.log(values.reduce((s, v) => s + Math.exp(v), 0));
const average = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length;

/** Cross-entropy of one row against the uniform distribution over its positives, undefined without any. */
function rowLoss(logits: readonly number[], positives: readonly boolean[]): number | undefined {
  const chosen = logits.filter((_, i) => positives[i]);
  return chosen.length === 0 ? undefined : logSumExp(logits) - average(chosen);
}
const meanOfDefined = (values: readonly (number | undefined)[]): number =>
  average(values.filter((value) => value !== undefined));

/** Gradients against central differences of the loss itself. */
function checkGradients(loss: Loss, at: LossCase): void {
  const { gradients } = runLoss(loss, at);
  const step = 1e-5;
  const slope = (change: (by: number) => LossCase): number =>
    (runLoss(loss, change(step)).loss - runLoss(loss, change(-step)).loss) / (2 * step);
  for (const [modality, rows] of Object.entries(at.features)) {
    rows.flat().forEach((_, index) => {
      const width = rows[0]!.length;
      const numeric = slope((by) => ({
        ...at,
        features: {
          ...at.features,
          [modality]: rows.map((row, r) =>
            row.map((v, c) => (r * width + c === index ? v + by : v)),
          ),
        },
      }));
      expect(gradients[modality]![index]).toBeCloseTo(numeric, 7);
    });
  }
  const numeric = slope((by) => ({ ...at, logitScale: (at.logitScale ?? 0) + by }));
  expect(gradients["logitScale"]![0]).toBeCloseTo(numeric, 7);
}

describe("InfoNCE", () => {
  const loss = createInfoNce();

  it("is the mean of the two cross-entropies with one positive each", () => {
    const pairs = image.slice(0, 3);
    const logits = pairs.map((row) => text.map((column) => 7 * dot(row, column)));
    const rows = average(logits.map((row, i) => logSumExp(row) - row[i]!));
    const columns = average(
      text.map((_, j) => logSumExp(logits.map((row) => row[j]!)) - logits[j]![j]!),
    );
    const found = runLoss(loss, { features: { image: pairs, text }, logitScale: scale });
    expect(found.loss).toBeCloseTo((rows + columns) / 2, 12);
    expect(found.metrics["positiveSimilarity"]).toBeCloseTo(
      average(pairs.map((row, i) => dot(row, text[i]!))),
      12,
    );
    const hits = logits.map((row, i) => (Math.max(...row) === row[i] ? 1 : 0));
    expect(found.metrics["accuracy"]).toBeCloseTo(average(hits), 12);
  });

  it("shares the target among several positives and leaves out rows without any", () => {
    const logits = image.map((row) => text.map((column) => 7 * dot(row, column)));
    const same = image.map((_, i) => text.map((_, j) => samples.image[i] === samples.text[j]));
    const rows = meanOfDefined(logits.map((row, i) => rowLoss(row, same[i]!)));
    const columns = meanOfDefined(
      text.map((_, j) =>
        rowLoss(
          logits.map((r) => r[j]!),
          same.map((r) => r[j]!),
        ),
      ),
    );
    const found = runLoss(loss, { features: { image, text }, samples, logitScale: scale });
    expect(found.loss).toBeCloseTo((rows + columns) / 2, 12);
  });

  it("has the derivative of its value", () => {
    checkGradients(loss, { features: { image, text }, samples, logitScale: scale });
  });

  it("lets each positive compete with the negatives alone when they are kept apart", () => {
    const apart = createInfoNce({ positives: "apart" });
    const logits = image.map((row) => text.map((column) => 7 * dot(row, column)));
    const same = image.map((_, i) => text.map((_, j) => samples.image[i] === samples.text[j]));
    const one = (row: readonly number[], positives: readonly boolean[]): number | undefined => {
      const negatives = row.filter((_, i) => !positives[i]);
      const each = row
        .filter((_, i) => positives[i])
        .map((value) => logSumExp([value, ...negatives]) - value);
      return each.length === 0 ? undefined : average(each);
    };
    const rows = meanOfDefined(logits.map((row, i) => one(row, same[i]!)));
    const columns = meanOfDefined(
      text.map((_, j) =>
        one(
          logits.map((r) => r[j]!),
          same.map((r) => r[j]!),
        ),
      ),
    );
    const at = { features: { image, text }, samples, logitScale: scale };
    expect(runLoss(apart, at).loss).toBeCloseTo((rows + columns) / 2, 12);
    checkGradients(apart, at);
    const alone = { features: { image: image.slice(0, 3), text }, logitScale: scale };
    expect(runLoss(apart, alone).loss).toBeCloseTo(runLoss(loss, alone).loss, 12);
  });

  it.each(["together", "apart"] as const)(
    "stays finite when all are positives, %s",
    (positives) => {
      const { loss: value, gradients } = runLoss(createInfoNce({ positives }), {
        features: { image, text },
        samples: { image: [1, 1, 1, 1], text: [1, 1, 1] },
      });
      expect([value, ...Object.values(gradients).flat()].every(Number.isFinite)).toBe(true);
      if (positives === "apart") expect(value).toBe(0);
    },
  );

  it.each(["together", "apart"] as const)(
    "is 0 with zero gradients without positives, %s",
    (positives) => {
      const found = runLoss(createInfoNce({ positives }), {
        features: { image, text },
        samples: { image: [1, 2, 3, 4], text: [5, 6, 7] },
      });
      expect(found.loss).toBeCloseTo(0, 15);
      expect(found.gradients["image"]!.every((v) => Math.abs(v) === 0)).toBe(true);
      expect(found.metrics["positiveSimilarity"]).toBe(0);
    },
  );

  it("stays finite at scales far beyond training", () => {
    const found = runLoss(loss, { features: { image, text }, samples, logitScale: Math.log(1e6) });
    const all = [found.loss, ...Object.values(found.gradients).flat()];
    expect(all.every(Number.isFinite)).toBe(true);
  });

  it("works between other modalities, and names the ones it has", () => {
    const audio = createInfoNce({ between: ["audio", "text"] });
    expect(audio.auxiliary.map(({ name }) => name)).toEqual(["audioSample", "textSample"]);
    expect(Number.isFinite(runLoss(audio, { features: { audio: image, text } }).loss)).toBe(true);
    expect(() => runLoss({ ...audio, auxiliary: [] }, { features: { image, text } })).toThrow(
      /losses\/info-nce: modalities: expected some of image, text, got "audio"/,
    );
    expect(() => runLoss({ ...loss, auxiliary: [] }, { features: { image, text } })).toThrow(
      /expected the input "imageSample", got none/,
    );
  });

  it("names the widths that differ", () => {
    expect(() => runLoss(loss, { features: { image, text: unitVectors(3, 4, 1) } })).toThrow(
      /losses\/info-nce: text: expected \[columnBatch, embedDim\], got \[textBatch, 4\] \(embedDim is 3 as in image, got 4\)/,
    );
  });
});

describe("the sigmoid loss", () => {
  const loss = createSigmoidLoss();
  const at: LossCase = { features: { image, text }, samples, logitScale: scale, logitBias: -3 };

  it("sums −log σ over all pairs and divides by the rows", () => {
    let total = 0;
    for (const [i, row] of image.entries())
      for (const [j, column] of text.entries()) {
        const sign = samples.image[i] === samples.text[j] ? 1 : -1;
        total += Math.log1p(Math.exp(-sign * (7 * dot(row, column) - 3)));
      }
    const found = runLoss(loss, at);
    expect(found.loss).toBeCloseTo(total / 4, 12);
    const positive = image.flatMap((row, i) =>
      text.filter((_, j) => samples.image[i] === samples.text[j]).map((c) => dot(row, c)),
    );
    expect(found.metrics["positiveSimilarity"]).toBeCloseTo(average(positive), 12);
  });

  it("has the derivative of its value", () => {
    checkGradients(loss, at);
    const slope = (by: number): number => runLoss(loss, { ...at, logitBias: -3 + by }).loss;
    expect(runLoss(loss, at).gradients["logitBias"]![0]).toBeCloseTo(
      (slope(1e-5) - slope(-1e-5)) / 2e-5,
      7,
    );
  });

  it("stays finite at extreme logits", () => {
    for (const logitBias of [-1e4, 1e4]) {
      const found = runLoss(loss, { ...at, logitScale: Math.log(1e4), logitBias });
      expect([found.loss, ...Object.values(found.gradients).flat()].every(Number.isFinite)).toBe(
        true,
      );
    }
  });

  it("asks for a bias", () => {
    expect(() => runLoss(loss, { features: { image, text } })).toThrow(
      /logitBias: expected a model with a bias, got none. Set model.logitBias: -10/,
    );
  });
});

describe("the supervised contrastive loss", () => {
  const loss = createSupervisedContrastive({ temperature: 0.5 });
  const at: LossCase = { features: { image }, samples };

  it("compares each anchor's positives with all others, itself excluded", () => {
    const rows = image.map((anchor, i) => {
      const others = image.flatMap((_, j) => (j === i ? [] : [j]));
      return rowLoss(
        others.map((j) => dot(anchor, image[j]!) / 0.5),
        others.map((j) => samples.image[j] === samples.image[i]),
      );
    });
    const found = runLoss(loss, at);
    expect(rows.filter((row) => row === undefined)).toHaveLength(2);
    expect(found.loss).toBeCloseTo(meanOfDefined(rows), 12);
    expect(found.metrics["positiveSimilarity"]).toBeCloseTo(dot(image[0]!, image[2]!), 12);
  });

  it("has the derivative of its value, and none by the scale", () => {
    checkGradients(loss, at);
    expect(runLoss(loss, at).gradients["logitScale"]).toEqual([0]);
  });

  it("is 0 for samples that all stand alone, and for a single one", () => {
    for (const features of [{ image }, { image: image.slice(0, 1) }]) {
      const found = runLoss(loss, { features });
      expect(found.loss).toBeCloseTo(0, 15);
      expect(found.gradients["image"]!.every((v) => Math.abs(v) === 0)).toBe(true);
    }
  });

  it("stays finite at a tiny temperature, and refuses smaller ones", () => {
    const found = runLoss(createSupervisedContrastive({ temperature: 1e-4 }), at);
    expect([found.loss, ...found.gradients["image"]!].every(Number.isFinite)).toBe(true);
    expect(() => createSupervisedContrastive({ temperature: 0 })).toThrow(
      /temperature: expected a number of at least 0.0001, got 0/,
    );
  });
});

describe("the weighted sum", () => {
  const terms = [
    { loss: createInfoNce() },
    { loss: createSupervisedContrastive(), weight: 0.5, name: "pictures" },
  ];

  it("adds its terms with their weights and keeps them apart", () => {
    const at: LossCase = { features: { image, text }, samples, logitScale: scale };
    const first = runLoss(terms[0]!.loss, at);
    const second = runLoss(terms[1]!.loss, { ...at, features: { image } });
    const sum = createWeightedSum(terms);
    const found = runLoss(sum, at);
    expect(found.loss).toBeCloseTo(first.loss + 0.5 * second.loss, 12);
    expect(found.metrics["info-nce/loss"]).toBeCloseTo(first.loss, 12);
    expect(found.metrics["pictures/positiveSimilarity"]).toBeCloseTo(
      second.metrics["positiveSimilarity"]!,
      12,
    );
    expect(sum.parts!.map(({ name, weight }) => [name, weight])).toEqual([
      ["info-nce", 1],
      ["pictures", 0.5],
    ]);
    expect(sum.auxiliary.map(({ name }) => name)).toEqual(["imageSample", "textSample"]);
    checkGradients(sum, at);
  });

  it("sees the batch as soon as one term does", () => {
    const sample: Loss = { ...createInfoNce(), name: "sample", scope: "sample" };
    expect(createWeightedSum(terms).scope).toBe("batch");
    expect(createWeightedSum([{ loss: sample }]).scope).toBe("sample");
  });

  it("refuses no terms, equal names, odd weights and inputs that clash", () => {
    expect(() => createWeightedSum([])).toThrow(ConfigError);
    expect(() => createWeightedSum([terms[0]!, terms[0]!])).toThrow(
      /terms\[1\].name: expected each name once, got "info-nce" twice/,
    );
    expect(() => createWeightedSum([{ ...terms[0]!, weight: NaN }])).toThrow(
      /terms\[0\].weight: expected a finite number, got NaN/,
    );
    const clash: Loss = {
      ...createInfoNce(),
      name: "other",
      auxiliary: [{ name: "imageSample", shape: [3], dtype: "int32" }],
    };
    expect(() => createWeightedSum([terms[0]!, { loss: clash }])).toThrow(
      /auxiliary "imageSample": expected one shape/,
    );
  });
});
