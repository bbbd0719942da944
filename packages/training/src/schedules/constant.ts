/** Warm-up, then one learning rate to the end. */
import type { Schedule } from "@diptych/core";
import { partConstructor } from "@diptych/core/plugin";
import { constantSchema, type ConstantConfig } from "./config.js";
import { warmupSteps } from "./warmup.js";

const NAME = "constant";

/** lr·(step + 1)/W for step < W, then lr. */
export function createConstant(
  config: ConstantConfig,
  { totalSteps }: { readonly totalSteps: number },
): Schedule {
  const warmup = warmupSteps(NAME, config, totalSteps);
  return Object.freeze({
    name: NAME,
    learningRate: (step: number) =>
      step < warmup ? (config.learningRate * (step + 1)) / warmup : config.learningRate,
  });
}

/** The schedule as a part of a configuration. */
export const constantSchedule = partConstructor(NAME, constantSchema);
