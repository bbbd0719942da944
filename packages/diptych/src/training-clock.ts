/** Seconds of training in a whole run, over its interruptions: kept in the run's log. */
import { readJsonlLog, type StepEvent } from "@diptych/training";

export interface TrainingClock {
  /** Seconds of all steps up to this one, waits for batches included; evaluations and checkpoints are not. */
  readonly after: (event: StepEvent) => number;
}

/** @param log The log of the run, which holds nothing from `step` on. */
export function createTrainingClock(log: string, step: number): TrainingClock {
  let seconds = step === 0 ? 0 : secondsUntil(log, step);
  return Object.freeze({
    after: ({ stepMs, waitMs }: StepEvent) => (seconds += (stepMs + waitMs) / 1000),
  });
}

/** By the last step that was logged; the steps after it are taken to have been like it. */
function secondsUntil(log: string, step: number): number {
  const last = readJsonlLog(log).findLast(({ event }) => event === "step") as
    (StepEvent & { readonly trainingSeconds?: number }) | undefined;
  if (!last) return 0;
  const { trainingSeconds = 0, stepMs, waitMs } = last;
  return trainingSeconds + ((step - last.step - 1) * (stepMs + waitMs)) / 1000;
}
