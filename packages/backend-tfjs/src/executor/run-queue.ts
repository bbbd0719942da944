/**
 * One piece of work on TensorFlow.js at a time, in order of arrival, for the whole process: its current engine is a global
 * that all copies of tfjs-core share, so all copies of this package share the queue.
 */
const KEY = Symbol.for("diptych.backend-tfjs.queue");

interface Tail {
  last: Promise<unknown>;
}

/** Runs `work` after all that was enqueued before it has ended, well or not; its result is the work's. */
export function enqueue<T>(work: () => Promise<T>): Promise<T> {
  const holder = globalThis as unknown as Record<symbol, Tail | undefined>;
  const tail = (holder[KEY] ??= { last: Promise.resolve() });
  const result = tail.last.then(work);
  // The queue goes on whether or not the work failed; the caller has the failure.
  tail.last = result.catch(() => undefined);
  return result;
}
