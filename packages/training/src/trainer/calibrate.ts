/** Turning a duration into steps, from the times of a few real steps; afterwards the trainer is as it was. */
import { TrainingError } from "@diptych/core";
import { ABORTED, BatchFeed, type TrainingBatch } from "./batches.js";
import { notFiniteError } from "./not-finite.js";
import type { Trainer } from "./trainer.js";

export interface CalibrateOptions {
  /** How long training may take, calibration included. */
  readonly seconds: number;
  /** Batches from the trainer's step on; a run of `fit` needs its own. */
  readonly batches: AsyncIterable<TrainingBatch>;
  readonly signal?: AbortSignal | undefined;
}

export interface Calibration {
  /** Steps of the whole run: those done before and those that fit. Fix it before the first step and save it. */
  readonly totalSteps: number;
  readonly secondsPerStep: number;
  /** Steps that were timed. */
  readonly timed: number;
  /** What calibration itself took. */
  readonly seconds: number;
}

/** The first runs allocate memory and fill caches: they say nothing of the rest. */
const UNTIMED_STEPS = 2;
const LEAST_TIMED = 3;
const MOST_TIMED = 200;
/** Share of the duration that timing may take. */
const SHARE = 0.02;
/** Checkpoints and the log take time too. */
const MARGIN = 0.97;

/** Runs steps at learning rate 0, times them, and restores the state. @throws TrainingError when interrupted or not finite. */
export async function calibrate(trainer: Trainer, options: CalibrateOptions): Promise<Calibration> {
  const { seconds, batches, signal } = options;
  const begun = performance.now();
  const elapsed = (): number => (performance.now() - begun) / 1000;
  const before = await trainer.readState();
  const feed = new BatchFeed(batches);
  const times: number[] = [];
  try {
    for (let count = 0; !isEnough(times, elapsed(), seconds); count++) {
      const start = performance.now();
      const batch = await feed.take(trainer.step, signal);
      if (batch === ABORTED) throw interrupted();
      const outcome = await trainer.runStep(batch, {
        learningRate: 0,
        signal,
        meanwhile: () => feed.prepare(),
      });
      if (outcome.status === "interrupted") throw interrupted();
      if (outcome.status === "notFinite") {
        const { report } = outcome;
        throw notFiniteError({ step: trainer.step, report, learningRate: 0 });
      }
      if (count >= UNTIMED_STEPS) times.push((performance.now() - start) / 1000);
    }
  } finally {
    await feed.close();
    if (trainer.intact) await trainer.loadState(before);
  }
  // The mean and not the median: rare slow steps take time too.
  const secondsPerStep = times.reduce((total, time) => total + time, 0) / times.length;
  const left = Math.max(0, (seconds - elapsed()) * MARGIN);
  return Object.freeze({
    totalSteps: trainer.step + Math.max(1, Math.floor(left / secondsPerStep)),
    secondsPerStep,
    timed: times.length,
    seconds: elapsed(),
  });
}

function isEnough(times: readonly number[], elapsed: number, seconds: number): boolean {
  return times.length >= MOST_TIMED || (times.length >= LEAST_TIMED && elapsed >= seconds * SHARE);
}

function interrupted(): TrainingError {
  return new TrainingError(
    "training/calibrateSteps: signal: expected a few steps to be timed, got interrupted. Nothing was trained; run again.",
  );
}
