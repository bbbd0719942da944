/** Warm-up, then half a cosine down (open_clip_train/scheduler.py; arXiv:1608.03983). */
import type { Schedule } from "@diptych/core";
import { partConstructor } from "@diptych/core/plugin";
import { cosineSchema, type CosineConfig } from "./config.js";
import { warmupSteps } from "./warmup.js";

const NAME = "cosine";

/**
 * lr·(step + 1)/W for step < W; then f + (lr − f)·(1 + cos(π(step − W)/(T − W)))/2, with f the final rate and T all
 * steps; f from T on.
 */
export function createCosine(
  config: CosineConfig,
  { totalSteps }: { readonly totalSteps: number },
): Schedule {
  const { learningRate: peak, finalLearningRate: final } = config;
  const warmup = warmupSteps(NAME, config, totalSteps);
  return Object.freeze({
    name: NAME,
    learningRate: (step: number) => {
      if (step < warmup) return (peak * (step + 1)) / warmup;
      if (step >= totalSteps) return final;
      const progress = (step - warmup) / (totalSteps - warmup);
      return final + (peak - final) * 0.5 * (1 + Math.cos(Math.PI * progress));
    },
  });
}

/** The schedule as a part of a configuration. */
export const cosine = partConstructor(NAME, cosineSchema);
