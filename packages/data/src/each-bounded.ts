/** Work on many items, a few at a time. */

/** Runs `job` for 0…count−1, at most `most` at once; the error of the lowest that failed, once none runs any more. */
export async function eachBounded(
  count: number,
  most: number,
  job: (index: number) => Promise<void>,
): Promise<void> {
  const failures = new Map<number, unknown>();
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count && failures.size === 0) {
      const index = next++;
      try {
        await job(index);
      } catch (error) {
        failures.set(index, error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, count) }, work));
  if (failures.size > 0) throw failures.get(Math.min(...failures.keys()));
}
