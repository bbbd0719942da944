/** Batches, taken one ahead: the next is prepared while the step runs. */
import { TrainingError, type HostTensor } from "@diptych/core";

/** What the loader gives for one step. */
export interface TrainingBatch {
  /** The step that it is for, counted from 0. */
  readonly step: number;
  readonly epoch: number;
  /** By input name: `image`, `text`, `imageSample`, … */
  readonly feeds: Readonly<Record<string, HostTensor>>;
}

/** Says that a wait ended because of the signal. */
export const ABORTED = Symbol("aborted");

/** Takes batches in order. */
export class BatchFeed {
  readonly #iterator: AsyncIterator<TrainingBatch>;
  #next: Promise<IteratorResult<TrainingBatch>> | undefined;

  constructor(batches: AsyncIterable<TrainingBatch>) {
    this.#iterator = batches[Symbol.asyncIterator]();
  }

  /** Asks for the next batch without waiting for it. */
  prepare(): void {
    if (this.#next) return;
    this.#next = this.#iterator.next();
    // Whoever takes it meets the error; without this Node would call it unhandled until then.
    this.#next.catch(() => undefined);
  }

  /** @throws TrainingError where batches end early or are for another step; what the loader throws. */
  async take(step: number, signal?: AbortSignal): Promise<TrainingBatch | typeof ABORTED> {
    if (signal?.aborted) return ABORTED;
    this.prepare();
    const result = await untilAborted(this.#next!, signal);
    if (result === ABORTED) return ABORTED;
    this.#next = undefined;
    if (result.done) {
      throw new TrainingError(
        `training/fit: batches: expected one for step ${step}, got the end. Let the loader go on for all steps, epoch after epoch.`,
      );
    }
    if (result.value.step !== step) {
      throw new TrainingError(
        `training/fit: batches: expected the batch of step ${step}, got that of step ${result.value.step}. Start the loader at the trainer's step.`,
      );
    }
    return result.value;
  }

  async close(): Promise<void> {
    await this.#iterator.return?.();
  }
}

async function untilAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T | typeof ABORTED> {
  if (!signal) return promise;
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<typeof ABORTED>((resolve) => {
    onAbort = () => resolve(ABORTED);
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
