/** The loop of a run: batch, step, record, checkpoint; until all steps are done, the signal comes, or a loss is no number. */
import type { Schedule, TrainingError } from "@diptych/core";
import { ABORTED, BatchFeed, type TrainingBatch } from "./batches.js";
import type { EndReason, TrainingEvent, TrainingListener } from "./events.js";
import { messageOf } from "./message-of.js";
import { notFiniteError } from "./not-finite.js";
import type { StepReport } from "./step-report.js";
import type { Trainer } from "./trainer.js";
import type { TrainingState } from "./training-state.js";

/** Saves states, e.g. as checkpoints in a folder (see `createCheckpointer`). */
export interface StateSaver {
  /** Steps between two states; null: only the last. */
  readonly every: number | null;
  /** Gives back where it is. */
  save(state: TrainingState): Promise<string>;
}

export interface FitOptions {
  /** From the trainer's step on. The next one is awaited while a step runs. */
  readonly batches: AsyncIterable<TrainingBatch>;
  readonly schedule: Schedule;
  /** All steps of the run, those before a resume included. */
  readonly totalSteps: number;
  /** Ends the run within the step in flight; the state is then that of the last whole step, and is saved. */
  readonly signal?: AbortSignal | undefined;
  readonly on?: TrainingListener | undefined;
  readonly saver?: StateSaver | undefined;
  /** Saved beside each state: configuration, tokenizer. */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

export interface FitResult {
  readonly reason: Exclude<EndReason, "notFinite">;
  /** Steps done. */
  readonly step: number;
  readonly seconds: number;
  /** Mean wait for a batch over the steps after the first, in milliseconds. */
  readonly meanWaitMs: number;
  /** Steps of the run that overflowed in float16 and changed nothing. */
  readonly skippedSteps: number;
}

/**
 * @throws TrainingError on a loss or gradient that is not finite, after saving the state before that step; on batches
 * that end early; what listener and saver throw.
 */
export async function runFit(trainer: Trainer, options: FitOptions): Promise<FitResult> {
  const run = new FitRun(trainer, options);
  await run.emit({
    event: "start",
    step: trainer.step,
    totalSteps: options.totalSteps,
    resumed: trainer.step > 0,
    seed: trainer.seed,
  });
  return run.finish(await run.steps());
}

/** What one call of `fit` keeps between its steps. */
class FitRun {
  readonly #trainer: Trainer;
  readonly #options: FitOptions;
  readonly #begun = performance.now();
  #savedStep: number;
  #savedPath: string | undefined;
  #lastFinite: { readonly step: number; readonly loss: number } | undefined;
  #waits = { count: 0, total: 0 };
  #saveFailed = false;

  constructor(trainer: Trainer, options: FitOptions) {
    this.#trainer = trainer;
    this.#options = options;
    // A resumed state is on disk already.
    this.#savedStep = trainer.step === 0 ? -1 : trainer.step;
  }

  async emit(event: TrainingEvent): Promise<void> {
    await this.#options.on?.(event);
  }

  /** Runs steps; why they ended. */
  async steps(): Promise<FitResult["reason"]> {
    const feed = new BatchFeed(this.#options.batches);
    try {
      while (this.#trainer.step < this.#options.totalSteps) {
        if (!(await this.#oneStep(feed))) return "interrupted";
      }
      return "finished";
    } catch (error) {
      await this.#saveAfterFailure(error);
      throw error;
    } finally {
      await feed.close();
    }
  }

  async finish(reason: FitResult["reason"]): Promise<FitResult> {
    await this.#save();
    await this.#emitEnd(reason);
    return Object.freeze({
      reason,
      step: this.#trainer.step,
      seconds: this.#seconds(),
      meanWaitMs: this.#meanWait(),
      skippedSteps: this.#trainer.skippedSteps,
    });
  }

  /** False when the signal came first. */
  async #oneStep(feed: BatchFeed): Promise<boolean> {
    const { schedule, signal, totalSteps, saver } = this.#options;
    const trainer = this.#trainer;
    const { step } = trainer;
    const asked = performance.now();
    const batch = await feed.take(step, signal);
    if (batch === ABORTED) return false;
    const begun = performance.now();
    const learningRate = schedule.learningRate(step);
    const { lossScale } = trainer;
    const outcome = await trainer.runStep(batch, {
      learningRate,
      signal,
      meanwhile: () => {
        if (step + 1 < totalSteps) feed.prepare();
      },
    });
    if (outcome.status === "interrupted") return false;
    if (outcome.status === "notFinite") throw await this.#notFinite(outcome.report, learningRate);
    const ended = performance.now();
    if (outcome.status === "done") this.#lastFinite = { step, loss: outcome.report.loss };
    await this.#record(batch, outcome.report, { learningRate, lossScale, asked, begun, ended });
    const due = saver && saver.every !== null && trainer.step % saver.every === 0;
    if (due && trainer.step < totalSteps) await this.#save();
    return true;
  }

  async #record(
    batch: TrainingBatch,
    report: StepReport,
    at: {
      learningRate: number;
      lossScale: number | undefined;
      asked: number;
      begun: number;
      ended: number;
    },
  ): Promise<void> {
    const waitMs = at.begun - at.asked;
    const stepMs = at.ended - at.begun;
    if (this.#waits.count > 0) this.#waits.total += waitMs;
    this.#waits.count += 1;
    const { loss, metrics, gradNorm, logitScale } = report;
    await this.emit({
      event: "step",
      step: batch.step,
      totalSteps: this.#options.totalSteps,
      epoch: batch.epoch,
      loss,
      metrics,
      learningRate: at.learningRate,
      gradNorm,
      logitScale,
      imagesPerSecond: (1000 * batchRows(batch)) / (waitMs + stepMs),
      waitMs,
      stepMs,
      ...(at.lossScale === undefined
        ? {}
        : { lossScale: at.lossScale, skippedSteps: this.#trainer.skippedSteps }),
    });
  }

  /** Saves the state unless it is saved already. */
  async #save(): Promise<void> {
    const { saver, metadata } = this.#options;
    const { step } = this.#trainer;
    if (!saver || this.#savedStep === step) return;
    const begun = performance.now();
    this.#saveFailed = true;
    const path = await saver.save(await this.#trainer.readState(metadata));
    this.#saveFailed = false;
    this.#savedStep = step;
    this.#savedPath = path;
    await this.emit({
      event: "checkpoint",
      step,
      path,
      seconds: (performance.now() - begun) / 1000,
    });
  }

  /**
   * What was trained so far is worth keeping when data or device fail. When saving itself failed it is not tried again:
   * the last checkpoint stays.
   */
  async #saveAfterFailure(failure: unknown): Promise<void> {
    const { intact, step } = this.#trainer;
    if (!intact || step === 0 || this.#saveFailed) return;
    try {
      await this.#save();
    } catch (cause) {
      throw new AggregateError(
        [failure, cause],
        `training/fit: ${messageOf(failure)} Then the state could not be saved: ${messageOf(cause)}`,
        { cause },
      );
    }
  }

  async #notFinite(report: StepReport, learningRate: number): Promise<TrainingError> {
    const { step } = this.#trainer;
    let saveFailure: unknown;
    try {
      await this.#save();
    } catch (error) {
      // Both are to be known: the returned error carries this one.
      saveFailure = error;
    }
    await this.#emitEnd("notFinite");
    const { lastFinite, saved } = { lastFinite: this.#lastFinite, saved: this.#savedPath };
    return notFiniteError({ step, report, learningRate, lastFinite, saved, saveFailure });
  }

  async #emitEnd(reason: EndReason): Promise<void> {
    await this.emit({
      event: "end",
      reason,
      step: this.#trainer.step,
      totalSteps: this.#options.totalSteps,
      seconds: this.#seconds(),
      loss: this.#lastFinite?.loss ?? null,
      meanWaitMs: this.#meanWait(),
      skippedSteps: this.#trainer.skippedSteps,
    });
  }

  #seconds(): number {
    return (performance.now() - this.#begun) / 1000;
  }

  #meanWait(): number {
    const { count, total } = this.#waits;
    return count > 1 ? total / (count - 1) : 0;
  }
}

function batchRows({ feeds }: TrainingBatch): number {
  return (feeds["image"] ?? Object.values(feeds)[0])?.shape[0] ?? 0;
}
