import type { Loss } from "@diptych/core";
import { describe, expect, it } from "vitest";
import { extremes, mixed, plain } from "./batches.fixture.js";
import {
  expectFinite,
  expectFormula,
  infoNceFormula,
  type InfoNceFormula,
} from "./formulas.test-support.js";
import { createInfoNce, type InfoNceOptions } from "./info-nce.js";
import { dot, runLoss, unitVectors } from "./losses.test-support.js";

const create = ({ smoothing = 0, ...options }: InfoNceFormula): Loss =>
  createInfoNce({ ...options, labelSmoothing: smoothing });

const ways = ["together", "apart"] as const;
const kinds = ["positives", "masked", "negatives"] as const;
const options: InfoNceFormula[] = ways.flatMap((positives) =>
  kinds.flatMap((duplicates) =>
    // Numbers that float32 holds: it is what a graph's constants are.
    [0, 0.25].flatMap((smoothing) =>
      [false, true].map((noneOfThese) => ({ positives, duplicates, smoothing, noneOfThese })),
    ),
  ),
);

describe("InfoNCE against its formula", () => {
  it.each(options)(
    "$positives, $duplicates, smoothing $smoothing, none of these $noneOfThese",
    (chosen) => {
      expectFormula(create(chosen), infoNceFormula(chosen), { ...mixed, logitBias: -1.5 });
    },
  );

  it("with one positive each is the same for both ways of positives and all kinds of duplicates", () => {
    const value = runLoss(createInfoNce(), plain).loss;
    for (const positives of ways)
      for (const duplicates of kinds)
        expect(runLoss(createInfoNce({ positives, duplicates }), plain).loss).toBeCloseTo(
          value,
          13,
        );
  });

  it("tells the kinds of duplicates apart where there are some", () => {
    const values = kinds.map((duplicates) => runLoss(createInfoNce({ duplicates }), mixed).loss);
    expect(new Set(values.map((value) => value.toFixed(9))).size).toBe(3);
  });
});

describe("the bias", () => {
  it("changes nothing, and has a gradient of exactly 0, without an outcome to weigh it against", () => {
    for (const positives of ways) {
      const loss = createInfoNce({ positives, labelSmoothing: 0.1 });
      const [without, found] = [runLoss(loss, mixed), runLoss(loss, { ...mixed, logitBias: -10 })];
      expect(found.loss).toBe(without.loss);
      expect(found.metrics).toEqual(without.metrics);
      expect(found.gradients["logitBias"]).toEqual([0]);
    }
  });

  it("is asked for by none of these", () => {
    expect(() => runLoss(createInfoNce({ noneOfThese: true }), mixed)).toThrow(
      /losses\/info-nce: noneOfThese: expected a model with a bias, got none. Set model.logitBias/,
    );
  });

  it("decides whether rows without positives are taken for none of these", () => {
    const loss = createInfoNce({ noneOfThese: true });
    const at = (logitBias: number): number =>
      runLoss(loss, { ...extremes["no positives"]!, logitBias }).loss;
    expect(at(-50)).toBeCloseTo(0, 12);
    expect(at(50)).toBeGreaterThan(40);
  });
});

describe("the metrics", () => {
  it("are the share of hits among what is compared, and the mean cosine of positives", () => {
    const { image, text } = plain.features;
    const found = runLoss(createInfoNce(), { ...plain, logitBias: -3 });
    const cosines = image.map((row) => text.map((column) => dot(row, column)));
    const hits = cosines.map((row, i) => (Math.max(...row) === row[i] ? 1 : 0));
    expect(found.metrics["accuracy"]).toBe(hits.reduce<number>((a, b) => a + b, 0) / 4);
    const own = cosines.map((row, i) => row[i]!);
    expect(found.metrics["positiveSimilarity"]).toBeCloseTo(own.reduce((a, b) => a + b) / 4, 13);
    const noneOfThese = createInfoNce({ noneOfThese: true });
    expect(runLoss(noneOfThese, { ...plain, logitBias: -3 }).metrics).toEqual(found.metrics);
  });

  it("do not take a masked duplicate for a hit or a miss", () => {
    // Picture 0 is nearest to text 1, a duplicate; of what is left its own text is.
    const features = {
      image: [
        [1, 0],
        [0, 1],
      ],
      text: [
        [0.6, 0.8],
        [0.8, 0.6],
      ],
    };
    const at = { ...plain, features, samples: { image: [3, 3], text: [3, 3] } };
    const accuracy = (duplicates: InfoNceOptions["duplicates"] & string): number =>
      runLoss(createInfoNce({ duplicates }), at).metrics["accuracy"]!;
    expect(accuracy("masked")).toBe(1);
    expect(accuracy("negatives")).toBe(0);
    expect(accuracy("positives")).toBe(1);
  });
});

describe("at extremes", () => {
  it.each(Object.keys(extremes))("all options are finite with %s", (what) => {
    for (const chosen of options)
      expectFinite(create(chosen), { ...extremes[what]!, logitBias: -1e4 });
  });

  it("is by definition 0 where there is nothing to tell apart", () => {
    expect(expectFinite(createInfoNce(), extremes["one sample"]!)).toBeCloseTo(0, 15);
    const masked = createInfoNce({ duplicates: "masked" });
    expect(expectFinite(masked, extremes["one concept"]!)).toBeCloseTo(0, 15);
    const apart = createInfoNce({ positives: "apart", labelSmoothing: 0.1 });
    expect(expectFinite(apart, extremes["one concept"]!)).toBeCloseTo(0, 15);
  });

  it("is 0 with zero gradients without positives", () => {
    for (const positives of ways) {
      const loss = createInfoNce({ positives, labelSmoothing: 0.1 });
      const found = runLoss(loss, extremes["no positives"]!);
      expect(found.loss).toBeCloseTo(0, 15);
      expect(
        Object.values(found.gradients)
          .flat()
          .every((v) => Math.abs(v) === 0),
      ).toBe(true);
      expect(found.metrics["positiveSimilarity"]).toBe(0);
    }
  });

  it("has the logarithm of their number as its least among positives that share a target", () => {
    expect(
      runLoss(createInfoNce(), { ...extremes["one concept"]!, logitScale: -30 }).loss,
    ).toBeCloseTo(Math.log(4), 9);
  });
});

describe("what InfoNCE is given", () => {
  const features = { image: plain.features.image, text: plain.features.text };

  it("may be other modalities, and it names the ones it has", () => {
    const audio = createInfoNce({ between: ["audio", "text"], duplicates: "masked" });
    expect(audio.auxiliary.map(({ name }) => name)).toEqual([
      ...["audioSample", "textSample", "audioItem", "textItem"],
    ]);
    const heard = { features: { audio: features.image, text: features.text } };
    expect(Number.isFinite(runLoss(audio, heard).loss)).toBe(true);
    expect(() => runLoss({ ...audio, auxiliary: [] }, { features })).toThrow(
      /losses\/info-nce: modalities: expected some of image, text, got "audio"/,
    );
    expect(() => runLoss({ ...createInfoNce(), auxiliary: [] }, { features })).toThrow(
      /expected the input "imageSample", got none/,
    );
  });

  it("is asked of the loader as far as it is needed", () => {
    const names = (duplicates: (typeof kinds)[number]): string[] =>
      createInfoNce({ duplicates }).auxiliary.map(({ name }) => name);
    expect(names("positives")).toEqual(["imageSample", "textSample"]);
    expect(names("negatives")).toEqual(["imageItem", "textItem"]);
  });

  it("has one width, or both are named", () => {
    expect(() =>
      runLoss(createInfoNce(), { features: { ...features, text: unitVectors(3, 4, 1) } }),
    ).toThrow(
      /losses\/info-nce: text: expected \[columnBatch, embedDim\], got \[textBatch, 4\] \(embedDim is 3 as in image, got 4\)/,
    );
  });

  it.each([-0.1, 1, NaN])("is no label smoothing of %s", (labelSmoothing) => {
    expect(() => createInfoNce({ labelSmoothing })).toThrow(
      /labelSmoothing: expected a number of at least 0 and below 1/,
    );
  });
});
