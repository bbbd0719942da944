/** Zero-shot classification: each picture against the class weights (CLIP §3.1). */
import { DataError, type EvaluationContext, type Evaluator, type Metric } from "@diptych/core";
import { z } from "zod";
import { buildClassWeights } from "./class-weights.js";
import { embedDataset } from "./embed-dataset.js";
import { meanPerClassRecall, recallAt } from "./metrics.js";
import { rankOfBest, similarities, type Embeddings } from "./ranking.js";
import { A_PHOTO_OF } from "./templates.js";

export const classificationSchema = z.strictObject({
  /** Label of a sample that holds its class name. */
  label: z.string().default("class"),
  templates: z
    .array(z.string())
    .min(1)
    .default([...A_PHOTO_OF]),
  /** Candidate names; by default those that occur in the set, sorted. */
  classNames: z.array(z.string()).min(1).optional(),
  topK: z.array(z.int().min(1)).min(1).default([1, 5]),
});
export type ClassificationConfig = z.output<typeof classificationSchema>;

export interface ClassificationResult {
  readonly metrics: Readonly<Record<string, Metric>>;
  /** Rank (from 0) of the right class of each picture. */
  readonly ranks: readonly number[];
}

/**
 * Ranks of the right class and the metrics over them.
 *
 * @param images [pictures, width] unit rows. @param weights [classes, width] unit rows.
 * @param targets The class of each picture.
 */
export function classify(
  images: Embeddings,
  weights: Embeddings,
  targets: readonly number[],
  topK: readonly number[] = [1, 5],
): ClassificationResult {
  const ranks = targets.map((target, i) =>
    rankOfBest(similarities(images, i, weights), new Set([target])),
  );
  const candidates = weights.shape[0] ?? 0;
  const metrics = Object.fromEntries([
    ...topK.map((k) => [`top${k}`, recallAt(ranks, k, candidates)] as const),
    ["meanPerClassRecall", meanPerClassRecall(ranks, targets, candidates)] as const,
  ]);
  return Object.freeze({ metrics, ranks });
}

export function createClassification(config: ClassificationConfig): Evaluator {
  return Object.freeze({
    name: "zeroshot-classification",
    evaluate: async (context: EvaluationContext) => {
      const { samples, images, imageSample } = await embedDataset(context, { texts: false });
      const labels = samples.map(({ id, labels: all }) => {
        const label = all?.[config.label];
        if (label === undefined) {
          throw new DataError(
            `zeroshot/classification: sample ${id} of ${context.dataset.name}: expected a label "${config.label}", got ${Object.keys(all ?? {}).join(", ") || "none"}. Set the evaluator's label.`,
          );
        }
        return label;
      });
      const classNames = config.classNames ?? [...new Set(labels)].sort();
      const positions = new Map(classNames.map((name, i) => [name, i]));
      const targets = imageSample.map((sample) => {
        const label = labels[sample] ?? "";
        const position = positions.get(label);
        if (position === undefined) {
          throw new DataError(
            `zeroshot/classification: class "${label}": expected it among the ${classNames.length} classNames, got none. Add it.`,
          );
        }
        return position;
      });
      const { encode } = context;
      const weights = await buildClassWeights({ encode, classNames, templates: config.templates });
      return { metrics: classify(images, weights, targets, config.topK).metrics };
    },
  } satisfies Evaluator);
}
