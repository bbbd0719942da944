/** In how many bits a training step computes. */
import type { DType } from "../tensor/dtype.js";

/**
 * `fp32`: everything in float32. `mixed-fp16`, `mixed-bf16`: products in 16 bits, what needs range or digits in float32,
 * weights and optimizer state in float32 (see the pass `mixedPrecision`); float16 with a dynamic loss scale.
 */
export const TRAINING_PRECISIONS = ["fp32", "mixed-fp16", "mixed-bf16"] as const;
export type TrainingPrecision = (typeof TRAINING_PRECISIONS)[number];

/** Whether the loss is scaled before it is differentiated: float16's smallest numbers are larger than many gradients. */
export const scalesLoss = (precision: TrainingPrecision): boolean => precision === "mixed-fp16";

/** The 16-bit dtype of a precision; undefined for `fp32`. */
export function lowDtype(
  precision: TrainingPrecision,
): Extract<DType, "float16" | "bfloat16"> | undefined {
  if (precision === "fp32") return undefined;
  return precision === "mixed-fp16" ? "float16" : "bfloat16";
}
