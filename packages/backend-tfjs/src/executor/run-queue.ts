/**
 * One piece of work on TensorFlow.js at a time for the whole process: its current engine is a global that all copies of
 * tfjs-core share, so all copies of this package share the queue.
 */
import { createQueue, type Queue } from "@diptych/core/backend";

const KEY = Symbol.for("diptych.backend-tfjs.queue");

export const enqueue: Queue = (work) => {
  const holder = globalThis as unknown as Record<symbol, Queue | undefined>;
  return (holder[KEY] ??= createQueue())(work);
};
