/** Configuration of the linear probe and of few shots. */
import { z } from "zod";

const shared = {
  /** Label of a sample that holds its class. */
  label: z.string().default("class"),
  maxIterations: z.int().min(1).default(1000),
  /** Whether features are scaled to length 1 first; the paper's are not. */
  normalize: z.boolean().default(false),
};

export const linearProbeSchema = z.strictObject({
  ...shared,
  /** Inverse strength of the penalty; `sweep`: found on a validation split, then fitted on all samples. */
  C: z.number().positive().or(z.literal("sweep")).default(0.316),
  /** Of each class, set apart by a sweep. */
  validationShare: z.number().positive().lt(1).default(0.2),
  topK: z.array(z.int().min(1)).min(1).default([1, 5]),
  /** Most confident mistakes to keep, and a third as many right answers. */
  examples: z.int().min(0).default(12),
});
export type LinearProbeConfig = z.output<typeof linearProbeSchema>;

export const fewShotSchema = z.strictObject({
  ...shared,
  C: z.number().positive().default(0.316),
  /** Samples of each class to learn from. */
  shots: z.array(z.int().min(1)).min(1).default([1, 2, 4, 8, 16]),
  /** Draws of them; the mean over the draws is given with its 95 % interval. */
  seeds: z.int().min(1).default(5),
});
export type FewShotConfig = z.output<typeof fewShotSchema>;
