/** Schemas of the schedules. */
import { z } from "zod";

const peak = {
  /** After warm-up. */
  learningRate: z.number().positive().default(5e-4),
  /** Steps that climb from learningRate/steps to learningRate. */
  warmupSteps: z.int().min(0).optional(),
  /** The same as a fraction of all steps; 0 unless given, when warmupSteps is not. */
  warmupFraction: z.number().min(0).lt(1).optional(),
};

const oneWarmup = {
  check: (config: { warmupSteps?: number | undefined; warmupFraction?: number | undefined }) =>
    config.warmupSteps === undefined || config.warmupFraction === undefined,
  message: "expected one of warmupSteps and warmupFraction, got both",
};

export const cosineSchema = z
  .strictObject({
    ...peak,
    /** What the cosine falls to at the end. */
    finalLearningRate: z.number().min(0).default(0),
  })
  .refine(oneWarmup.check, { message: oneWarmup.message })
  .refine((config) => config.finalLearningRate <= config.learningRate, {
    message: "expected at most learningRate",
    path: ["finalLearningRate"],
  });

export const constantSchema = z
  .strictObject(peak)
  .refine(oneWarmup.check, { message: oneWarmup.message });

export type CosineConfig = z.output<typeof cosineSchema>;
export type ConstantConfig = z.output<typeof constantSchema>;
