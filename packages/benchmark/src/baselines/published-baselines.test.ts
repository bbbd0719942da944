import { measurePaperModel, paperModelName } from "diptych";
import { describe, expect, test } from "vitest";
import type { BenchmarkRow, Provenance } from "../record.js";
import { publishedBaselines } from "./published-baselines.js";
import { standBeside } from "./stand-beside.js";

const openai = publishedBaselines().filter(({ pretrained }) => pretrained === "openai");

describe("published baselines", () => {
  test("are CLIP's nine models with eight scores each, and the small-compute ones", () => {
    expect(openai.map(({ model }) => model)).toEqual([
      "RN50",
      "RN101",
      "RN50x4",
      "RN50x16",
      "RN50x64",
      "ViT-B-32",
      "ViT-B-16",
      "ViT-L-14",
      "ViT-L-14-336",
    ]);
    for (const { scores } of openai) expect(scores).toHaveLength(8);
    const small = publishedBaselines().flatMap(({ model, pretrained, scores }) =>
      pretrained === "openai" ? [] : [[model, pretrained, scores[0]!.value]],
    );
    expect(small).toEqual([
      ["RN50-quickgelu", "yfcc15m", 0.327],
      ["RN101-quickgelu", "yfcc15m", 0.348],
      ["RN50-quickgelu", "cc12m", 0.3645],
      ["ViT-B-32-quickgelu", "laion400m_e32", 0.6296],
      ["ViT-B-16", "laion400m_e32", 0.6707],
      ["ViT-L-14", "laion400m_e32", 0.7277],
    ]);
  });

  test("stand as they are written", () => {
    const [model] = openai.filter(({ model: name }) => name === "ViT-B-32");
    expect(Object.fromEntries(model!.scores.map(({ key, value }) => [key, value]))).toEqual({
      "imagenet/top1": 0.6332,
      "imagenet-v2/top1": 0.5592,
      "imagenet-r/top1": 0.6933,
      "datacomp-38/average": 0.5245,
      "flickr30k/imageRecall@1": 0.5878,
      "flickr30k/textRecall@1": 0.789,
      "coco/imageRecall@1": 0.3044,
      "coco/textRecall@1": 0.5012,
    });
  });

  test("each say where they stand, and lie in [0, 1]", () => {
    for (const { scores } of publishedBaselines()) {
      for (const { source, value } of scores) {
        expect(source.url).toContain("/89fb801");
        expect(source.where).not.toBe("");
        expect(value).toBeGreaterThan(0);
        expect(value).toBeLessThan(1);
      }
    }
  });

  test.each(openai)("$model costs what our own towers cost", ({ model, cost, embedDim }) => {
    const measured = measurePaperModel(paperModelName(model)!);
    expect(measured.parameters / 1e6).toBeCloseTo(cost.total.megaParameters, 1);
    for (const tower of measured.towers) {
      const published = tower.modality === "image" ? cost.image : cost.text;
      expect(Math.abs(tower.parameters / 1e6 - published.megaParameters)).toBeLessThan(0.011);
      // Two operations a multiply-add: one would be half of it. 2 %: what a counter leaves out.
      const unused = tower.modality === "image" ? measured.published!.unusedPoolFlops : 0;
      const flops = (tower.flops + unused) / 1e9;
      expect(Math.abs(flops / published.gigaFlops - 1)).toBeLessThan(0.02);
    }
    expect(cost.image.megaParameters + cost.text.megaParameters).toBeCloseTo(
      cost.total.megaParameters,
      1,
    );
    expect(cost.image.gigaFlops + cost.text.gigaFlops).toBeCloseTo(cost.total.gigaFlops, 1);
    expect([512, 640, 768, 1024]).toContain(embedDim);
  });
});

const provenance: Provenance = {
  code: { diptych: "0.1.0", node: "v20", commit: null, dirty: null },
  config: null,
  weights: "",
  trainData: null,
  testData: { name: "ImageNet-1k val", config: {}, size: 50000, fingerprint: null, note: "" },
  evaluator: { type: "zeroshot-classification", templates: "imagenet-80", scores: "features" },
  preprocessing: { imageHeight: 224, resizeMode: "shortest", interpolation: "bicubic" },
  precision: "fp32",
  backend: "",
  seed: null,
  training: null,
  date: "",
};

const rowOf = (change: Partial<Provenance> = {}, task = "imagenet"): BenchmarkRow => ({
  method: "mine",
  task,
  evaluator: "zeroshot-classification",
  mainMetric: "top1",
  evaluation: { metrics: { top1: { value: 0.5, queries: 50000, candidates: 1000 } } },
  provenance: { ...provenance, ...change },
});

describe("standBeside", () => {
  test("calls comparable what was measured alike, and puts it first", () => {
    const beside = standBeside(rowOf());
    const comparable = beside.filter((one) => one.comparable);
    expect(comparable.map(({ baseline }) => baseline.model)).toEqual(
      openai.map(({ model }) => model),
    );
    expect(beside.slice(0, 9)).toEqual(comparable);
    expect(new Set(comparable.map(({ score }) => score.key))).toEqual(new Set(["imagenet/top1"]));
  });

  test("does not take a protocol that is not said for the same", () => {
    const small = standBeside(rowOf()).find(({ baseline }) => baseline.pretrained === "cc12m")!;
    expect(small.reasons).toEqual([
      "Which templates it was measured with is not said.",
      "In which precision it was measured is not said.",
    ]);
  });

  test.each<[string, BenchmarkRow, string]>([
    [
      "other data",
      rowOf({ testData: { ...provenance.testData, name: "emoji" } }, "emoji-style"),
      "It was measured on ImageNet 1k (validation), this row on emoji.",
    ],
    [
      "other templates",
      rowOf({ evaluator: { ...provenance.evaluator, templates: ["a photo of a {}."] } }),
      'It was measured with the templates "imagenet-80", this row with ["a photo of a {}."].',
    ],
    [
      "another precision",
      rowOf({ precision: "int8" }),
      "It was measured in fp32 for pictures, autocast for prompts, this row in int8.",
    ],
    [
      "another resize",
      rowOf({ preprocessing: { ...provenance.preprocessing, interpolation: "bilinear" } }),
      'Its pictures were prepared with interpolation "bicubic", this row\'s with "bilinear".',
    ],
    [
      "a part of the items",
      {
        ...rowOf(),
        evaluation: { metrics: { top1: { value: 0.5, queries: 5000, candidates: 1000 } } },
      },
      "It has 50000 test items, this row 5000.",
    ],
  ])("says what stands against %s", (_, row, reason) => {
    const [first] = standBeside(row).filter(({ score }) => score.key === "imagenet/top1");
    expect(first).toMatchObject({ comparable: false, reasons: [reason] });
  });

  test("knows retrieval, each way by its own metric", () => {
    const row: BenchmarkRow = {
      ...rowOf({
        testData: { ...provenance.testData, name: "flickr30k" },
        evaluator: { type: "retrieval", protocol: "clip-benchmark" },
      }),
      evaluator: "retrieval",
      evaluation: {
        metrics: { "textToImage/recall@1": { value: 0.5, queries: 5000, candidates: 1000 } },
      },
    };
    const comparable = standBeside(row).filter((one) => one.comparable);
    expect(comparable).toHaveLength(9);
    expect(comparable[0]!.score.key).toBe("flickr30k/imageRecall@1");
  });

  test("has nothing beside a linear probe", () => {
    expect(standBeside(rowOf({ evaluator: { type: "linear-probe" } }))).toEqual([]);
  });
});
