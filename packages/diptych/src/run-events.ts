/** What a run tells its caller while it goes. */

export type RunEvent =
  | { readonly event: "message"; readonly text: string }
  | {
      readonly event: "prepare";
      /** What is being prepared, e.g. `rendering emoji`. */
      readonly what: string;
      readonly done: number;
      readonly total: number;
    }
  | {
      readonly event: "progress";
      /** Steps done. */
      readonly step: number;
      readonly totalSteps: number;
      readonly loss: number;
      /** Running mean. */
      readonly imagesPerSecond: number;
      readonly secondsLeft: number;
    };

export type RunListener = (event: RunEvent) => void;

/** How work on a configuration is watched and ended. */
export interface WatchOptions {
  readonly on?: RunListener;
  readonly signal?: AbortSignal | undefined;
}

/** Turns steps into progress: running means, so that numbers do not flicker. */
export function createProgressMeter(): (step: {
  readonly step: number;
  readonly totalSteps: number;
  readonly loss: number;
  readonly imagesPerSecond: number;
  readonly stepMs: number;
  readonly waitMs: number;
}) => RunEvent {
  let loss = 0;
  let rate = 0;
  let seconds = 0;
  let weight = 0;
  const keep = 0.9;
  return (event) => {
    // A step that was skipped may have no loss; the mean stays as it was.
    const current = Number.isFinite(event.loss) ? event.loss : weight > 0 ? loss / weight : 0;
    weight = keep * weight + (1 - keep);
    loss = keep * loss + (1 - keep) * current;
    rate = keep * rate + (1 - keep) * event.imagesPerSecond;
    seconds = keep * seconds + ((1 - keep) * (event.stepMs + event.waitMs)) / 1000;
    const done = event.step + 1;
    return {
      event: "progress",
      step: done,
      totalSteps: event.totalSteps,
      loss: loss / weight,
      imagesPerSecond: rate / weight,
      secondsLeft: ((event.totalSteps - done) * seconds) / weight,
    };
  };
}
