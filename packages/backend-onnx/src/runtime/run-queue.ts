/**
 * One native run in flight per process: two at once would fight over the same cores and over the arena's memory.
 */
import { createQueue } from "@diptych/core/backend";

export const enqueueRun = createQueue();
