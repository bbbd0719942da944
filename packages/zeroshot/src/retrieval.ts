/**
 * Retrieval: pictures to captions and captions to pictures. A query is right at k when at least one of its positives is
 * among the first k (CLIP_benchmark's recall@k; several captions a picture are all positives).
 */
import type { EvaluationContext, Evaluator, Metric } from "@diptych/core";
import { z } from "zod";
import { embedDataset } from "./embed-dataset.js";
import { recallAt } from "./metrics.js";
import { rankOfBest, similarities, type Embeddings } from "./ranking.js";

export const retrievalSchema = z.strictObject({
  recallK: z.array(z.int().min(1)).min(1).default([1, 5, 10]),
  imagesPerSample: z.int().min(1).default(1),
  captionsPerSample: z.int().min(1).default(1),
});
export type RetrievalConfig = z.output<typeof retrievalSchema>;

export interface RetrievalSide {
  readonly embeddings: Embeddings;
  /** Concept of each row: rows of equal concepts are positives. */
  readonly concepts: readonly string[];
}

/** Recall@k from `queries` to `candidates`. Queries without a positive are left out. */
export function retrieve(
  queries: RetrievalSide,
  candidates: RetrievalSide,
  recallK: readonly number[],
): Readonly<Record<string, Metric>> {
  const positives = new Map<string, Set<number>>();
  candidates.concepts.forEach((concept, row) => {
    positives.set(concept, (positives.get(concept) ?? new Set()).add(row));
  });
  const ranks = queries.concepts.flatMap((concept, row) => {
    const relevant = positives.get(concept);
    return relevant
      ? [rankOfBest(similarities(queries.embeddings, row, candidates.embeddings), relevant)]
      : [];
  });
  const count = candidates.concepts.length;
  return Object.fromEntries(recallK.map((k) => [`recall@${k}`, recallAt(ranks, k, count)]));
}

export function createRetrieval(config: RetrievalConfig): Evaluator {
  return Object.freeze({
    name: "retrieval",
    evaluate: async (context: EvaluationContext) => {
      const { imagesPerSample, captionsPerSample, recallK } = config;
      const embedded = await embedDataset(context, {
        texts: true,
        imagesPerSample,
        captionsPerSample,
      });
      const conceptOf = (sample: number): string => {
        const { concept, id } = embedded.samples[sample] ?? { id: String(sample) };
        return concept ?? id;
      };
      const images = { embeddings: embedded.images, concepts: embedded.imageSample.map(conceptOf) };
      if (!embedded.texts) return { metrics: {} };
      const texts = { embeddings: embedded.texts, concepts: embedded.textSample.map(conceptOf) };
      const prefix = (name: string, metrics: Readonly<Record<string, Metric>>) =>
        Object.entries(metrics).map(([key, metric]) => [`${name}/${key}`, metric] as const);
      return {
        metrics: Object.fromEntries([
          ...prefix("imageToText", retrieve(images, texts, recallK)),
          ...prefix("textToImage", retrieve(texts, images, recallK)),
        ]),
      };
    },
  } satisfies Evaluator);
}
