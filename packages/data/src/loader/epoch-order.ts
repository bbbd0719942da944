/** The order of samples in an epoch: a permutation that (seed, epoch) decides, with equal concepts kept out of one batch. */
import type { Random } from "@diptych/core";

export interface OrderOptions {
  readonly size: number;
  readonly batchSize: number;
  /** Concept of a sample; without it no two samples count as equal. */
  readonly conceptOf?: ((index: number) => string) | undefined;
}

/** Samples put off at most, in batches: bounds the work where few concepts hold most samples. */
const PUT_OFF_BATCHES = 8;

/**
 * All indices below `size` in random order. Where `conceptOf` tells equal concepts, one of them is put off to a later
 * batch; what cannot be placed apart (too few concepts left) comes as it is, so that every sample comes once.
 */
export function epochOrder(random: Random, options: OrderOptions): Uint32Array {
  const order = random.permutation(options.size);
  return options.conceptOf === undefined
    ? order
    : keepApart(order, options.batchSize, options.conceptOf);
}

function keepApart(
  order: Uint32Array,
  batchSize: number,
  conceptOf: (index: number) => string,
): Uint32Array {
  const arranged = new Uint32Array(order.length);
  let placed = 0;
  let next = 0;
  let putOff: number[] = [];
  while (placed < order.length) {
    const concepts = new Set<string>();
    const end = Math.min(placed + batchSize, order.length);
    const stillPutOff: number[] = [];
    const place = (index: number): boolean => {
      const concept = conceptOf(index);
      if (placed === end || concepts.has(concept)) return false;
      concepts.add(concept);
      arranged[placed++] = index;
      return true;
    };
    for (const index of putOff) if (!place(index)) stillPutOff.push(index);
    while (
      placed < end &&
      next < order.length &&
      stillPutOff.length < PUT_OFF_BATCHES * batchSize
    ) {
      const index = order[next++] as number;
      if (!place(index)) stillPutOff.push(index);
    }
    // Nothing left that differs: equal ones share the batch, and the loader marks them as equal.
    while (placed < end) arranged[placed++] = (stillPutOff.shift() ?? order[next++]) as number;
    putOff = stillPutOff;
  }
  return arranged;
}
