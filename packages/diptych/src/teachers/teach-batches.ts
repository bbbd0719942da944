/** A loader whose batches carry what teachers say of them. */
import type { Batch, Feeds, Loader } from "@diptych/data";
import type { OpenedTeacher } from "./open-teachers.js";

/**
 * The batches of `loader`, which prepares the teachers' views, with the teachers' features in their place. They are
 * computed when a batch is asked for, which the trainer does while the step before runs: the backend takes them in turn.
 * A batch depends on its samples and the teachers' weights alone, so a resumed run sees the same ones.
 */
export function teachBatches(loader: Loader, teachers: readonly OpenedTeacher[]): Loader {
  if (teachers.length === 0) return loader;
  return Object.freeze({
    stepsPerEpoch: loader.stepsPerEpoch,
    get waitedMs() {
      return loader.waitedMs;
    },
    get firstWaitMs() {
      return loader.firstWaitMs;
    },
    get skipped() {
      return loader.skipped;
    },
    batches: (run) => taughtBatches(loader.batches(run), teachers, run?.signal),
  } satisfies Loader);
}

async function* taughtBatches(
  batches: AsyncIterable<Batch>,
  teachers: readonly OpenedTeacher[],
  signal: AbortSignal | undefined,
): AsyncGenerator<Batch, void, undefined> {
  const views = new Set(
    teachers.flatMap(({ imageViews, textViews }) =>
      [...imageViews, ...textViews].map(({ name }) => name),
    ),
  );
  for await (const { feeds, ...batch } of batches) {
    const taught: Record<string, Feeds[string]> = {};
    for (const [name, value] of Object.entries(feeds)) if (!views.has(name)) taught[name] = value;
    for (const teacher of teachers) Object.assign(taught, await teacher.feed(feeds, signal));
    yield Object.freeze({ ...batch, feeds: Object.freeze(taught) });
  }
}
