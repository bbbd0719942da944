/** Lets timers, input and finished native calls run before the next piece of work. */

export function yieldToEvents(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
