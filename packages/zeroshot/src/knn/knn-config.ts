/** Configuration of k nearest neighbours. */
import { z } from "zod";

export const knnSchema = z.strictObject({
  /** Label of a sample that holds its class. */
  label: z.string().default("class"),
  k: z.int().min(1).default(20),
  /**
   * `similarity`: a neighbour's vote weighs exp(cosine / temperature), as in instance discrimination (arXiv:1805.01978)
   * and DINO; `uniform`: one vote each.
   */
  weights: z.enum(["similarity", "uniform"]).default("similarity"),
  temperature: z.number().positive().default(0.07),
  topK: z.array(z.int().min(1)).min(1).default([1, 5]),
  /** Most confident mistakes to keep, and a third as many right answers. */
  examples: z.int().min(0).default(12),
});
export type KnnConfig = z.output<typeof knnSchema>;
