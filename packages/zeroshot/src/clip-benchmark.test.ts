import { expect, it } from "vitest";
import { clipBenchmarkFileName, clipBenchmarkResult } from "./clip-benchmark.js";

const metric = (value: number, candidates = 10) => ({ value, queries: 4, candidates });
const named = { dataset: "wds/pets", model: "ViT-B-32", pretrained: "runs/a" };

it("has CLIP_benchmark's names, and null for its NaN", () => {
  const result = clipBenchmarkResult({
    ...named,
    evaluator: "zeroshot-classification",
    evaluation: {
      metrics: {
        top1: metric(0.5, 4),
        top5: metric(1, 4),
        meanPerClassRecall: metric(0.25, 4),
        meanAveragePrecision: metric(NaN),
        calibrationError: metric(0.125),
      },
    },
  });
  expect(result).toEqual({
    ...named,
    task: "zeroshot_classification",
    language: "en",
    metrics: {
      acc1: 0.5,
      acc5: null,
      mean_per_class_recall: 0.25,
      mean_average_precision: null,
      calibrationError: 0.125,
    },
  });
  expect(clipBenchmarkFileName(result)).toBe(
    "wds-pets_runs-a_ViT-B-32_en_zeroshot_classification.json",
  );
});

it("tells what is retrieved, and keeps what it does not know", () => {
  const retrieval = clipBenchmarkResult({
    ...named,
    language: "it",
    evaluator: "retrieval",
    evaluation: {
      metrics: { "imageToText/recall@5": metric(0.5), "textToImage/recall@5": metric(0.25) },
    },
  });
  expect(retrieval).toMatchObject({
    task: "zeroshot_retrieval",
    language: "it",
    metrics: { "text_retrieval_recall@5": 0.5, "image_retrieval_recall@5": 0.25 },
  });
  const own = clipBenchmarkResult({
    ...named,
    evaluator: "my-own",
    evaluation: { metrics: { hits: metric(1) } },
  });
  expect(own).toMatchObject({ task: "my_own", metrics: { hits: 1 } });
});
