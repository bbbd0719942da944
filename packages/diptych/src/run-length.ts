/** How many steps a run has: from steps, epochs, a duration, or from the state that it goes on from. */
import { TrainingError, type ResolvedConfig } from "@diptych/core";
import type { Loader } from "@diptych/data";
import type { Trainer } from "@diptych/training";
import type { RunListener } from "./run-events.js";

export interface StepsContext {
  readonly trainer: Trainer;
  readonly loader: Loader;
  readonly signal: AbortSignal | undefined;
  readonly on: RunListener;
}

/** Epochs where the configuration does not say how long. */
const DEFAULT_EPOCHS = 10;

/**
 * All steps of the run. A resumed run keeps the number that it began with, unless the configuration now asks for more
 * steps; a finished run of a duration gets that duration once more.
 */
export async function decideSteps(config: ResolvedConfig, context: StepsContext): Promise<number> {
  const { steps, duration } = config.training;
  const { trainer, loader, signal, on } = context;
  const begun = trainer.totalSteps;
  if (steps !== undefined) return Math.max(steps, trainer.step);
  if (begun !== undefined && (begun > trainer.step || duration === undefined)) return begun;
  if (duration !== undefined) {
    const batches = loader.batches({ startStep: trainer.step, ...(signal ? { signal } : {}) });
    const { totalSteps, secondsPerStep } = await trainer.calibrateSteps({
      seconds: duration,
      batches,
      signal,
    });
    on({
      event: "message",
      text: `A step takes ${(secondsPerStep * 1000).toFixed(0)} ms: ${totalSteps - trainer.step} steps fit into ${duration} s.`,
    });
    return totalSteps;
  }
  const planned = plannedSteps(config, loader.stepsPerEpoch);
  if (planned !== undefined) return planned;
  throw new TrainingError(
    "diptych/train: length: expected training.steps or training.duration for a stream, got neither. Set one.",
  );
}

/** Steps of a whole run as the configuration says them; undefined for a duration and for a stream without `steps`. */
export function plannedSteps(
  { training: { steps, epochs, duration } }: ResolvedConfig,
  stepsPerEpoch: number | undefined,
): number | undefined {
  if (steps !== undefined) return steps;
  if (duration !== undefined || stepsPerEpoch === undefined) return undefined;
  return Math.max(1, Math.round((epochs ?? DEFAULT_EPOCHS) * stepsPerEpoch));
}
