/** What a run says while it goes: plain records, ready for a logger or a progress bar. */

export interface StartEvent {
  readonly event: "start";
  /** Steps done before: 0 for a new run. */
  readonly step: number;
  readonly totalSteps: number;
  readonly resumed: boolean;
  readonly seed: number;
}

export interface StepEvent {
  readonly event: "step";
  /** Counted from 0. */
  readonly step: number;
  readonly totalSteps: number;
  readonly epoch: number;
  readonly loss: number;
  /** The loss's own metrics. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly learningRate: number;
  /** Global L2 norm before clipping. */
  readonly gradNorm: number;
  /** exp of the model's log scale: the factor of the similarities in this step. */
  readonly logitScale: number;
  /** Rows of `image` (or of the first input) over the time from the last step's end to this one's. */
  readonly imagesPerSecond: number;
  /** Milliseconds that the step waited for its batch. */
  readonly waitMs: number;
  /** Milliseconds of the step itself: upload, gradient, update. */
  readonly stepMs: number;
  /** In float16: what the loss was multiplied by, and steps so far that overflowed and changed nothing. */
  readonly lossScale?: number;
  readonly skippedSteps?: number;
}

export interface CheckpointEvent {
  readonly event: "checkpoint";
  /** Steps done. */
  readonly step: number;
  readonly path: string;
  readonly seconds: number;
}

export type EndReason = "finished" | "interrupted" | "notFinite";

export interface EndEvent {
  readonly event: "end";
  readonly reason: EndReason;
  /** Steps done. */
  readonly step: number;
  readonly totalSteps: number;
  /** Since `start`. */
  readonly seconds: number;
  /** Of the last step done in this process. */
  readonly loss: number | null;
  /** Mean wait for a batch over the steps after the first, in milliseconds. */
  readonly meanWaitMs: number;
  /** Steps of the run that overflowed in float16 and changed nothing. */
  readonly skippedSteps: number;
}

export type TrainingEvent = StartEvent | StepEvent | CheckpointEvent | EndEvent;

/** Called in order; the run waits for it. */
export type TrainingListener = (event: TrainingEvent) => void | Promise<void>;
