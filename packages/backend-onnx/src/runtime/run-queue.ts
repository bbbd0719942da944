/**
 * One native run in flight per process, in order of arrival: two at once would
 * fight over the same cores and over the arena's memory.
 */
let tail: Promise<unknown> = Promise.resolve();

/** Runs `task` after every task enqueued before it has settled; its result is the task's. */
export function enqueueRun<Result>(task: () => Promise<Result>): Promise<Result> {
  const result = tail.then(task);
  // The queue goes on whether or not the task failed; the caller has the failure.
  tail = result.catch(() => undefined);
  return result;
}
