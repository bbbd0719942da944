/** One piece of work at a time, in order of arrival: a device runs one graph after the other. */

/** Runs `work` after all that was enqueued before it has ended, well or not; its result is the work's. */
export type Queue = <T>(work: () => Promise<T>) => Promise<T>;

export function createQueue(): Queue {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work);
    // The queue goes on whether or not the work failed; the caller has the failure. Its result is not kept alive.
    last = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  };
}
