/** Runs a producer ahead of its consumer, a bounded number of items. */

export interface PrefetchOptions {
  /** Items prepared ahead, at least 1. */
  readonly ahead: number;
  /** Told how long the consumer waited for each item, in milliseconds. */
  readonly onWait: (milliseconds: number) => void;
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown } | "end";

/**
 * The items of `source`, produced while the consumer is busy: at most `ahead` + 2 exist at once, with the one that the
 * consumer holds and the one in the making. When the consumer stops, the producer has stopped too.
 */
export async function* prefetch<T>(
  source: AsyncIterable<T>,
  options: PrefetchOptions,
): AsyncGenerator<T, void, undefined> {
  const queue: Outcome<T>[] = [];
  const arrived = createSignal();
  const taken = createSignal();
  let stopped = false;
  const put = (outcome: Outcome<T>): void => {
    queue.push(outcome);
    arrived.raise();
  };
  const produce = async (): Promise<void> => {
    try {
      for await (const value of source) {
        if (stopped) return;
        put({ value });
        while (queue.length >= options.ahead && !isStopped()) await taken.wait();
      }
      put("end");
    } catch (error) {
      put({ error });
    }
  };
  const isStopped = (): boolean => stopped;
  const producer = produce();
  try {
    for (;;) {
      const start = performance.now();
      while (queue.length === 0) await arrived.wait();
      options.onWait(performance.now() - start);
      const outcome = queue.shift() as Outcome<T>;
      taken.raise();
      if (outcome === "end") return;
      if ("error" in outcome) throw outcome.error;
      yield outcome.value;
    }
  } finally {
    stopped = true;
    taken.raise();
    await producer;
  }
}

interface Signal {
  raise(): void;
  /** Resolves at the next raise, at once if one came since the last wait. */
  wait(): Promise<void>;
}

function createSignal(): Signal {
  let raised = false;
  let wake: (() => void) | undefined;
  return {
    raise: () => {
      raised = true;
      wake?.();
    },
    wait: async () => {
      if (!raised) await new Promise<void>((resolve) => (wake = resolve));
      raised = false;
      wake = undefined;
    },
  };
}
