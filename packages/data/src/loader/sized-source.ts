/** Batches of a set of known size: any step can be planned from (seed, step) alone. */
import {
  DataError,
  isDiptychError,
  type Random,
  type Sample,
  type SizedDataset,
} from "@diptych/core";
import type { BatchSource, PlannedBatch, PlannedSample, SourceOptions } from "./batch-source.js";
import { epochOrder } from "./epoch-order.js";

/** Unreadable samples in a row after which skipping gives up. */
const MOST_SKIPPED_IN_A_ROW = 32;

/** @throws DataError when a batch, with its extra captions, is larger than the set. */
export function createSizedSource(dataset: SizedDataset, options: SourceOptions): BatchSource {
  const { batchSize, extraCaptions } = options;
  const { size } = dataset;
  checkBatchFits(dataset.name, size, options);
  const stepsPerEpoch = options.dropLast
    ? Math.floor(size / batchSize)
    : Math.ceil(size / batchSize);
  const orderOf = createOrders(dataset, options);
  const planStep = (step: number): PlannedBatch => {
    const epoch = Math.floor(step / stepsPerEpoch);
    const first = (step % stepsPerEpoch) * batchSize;
    const order = orderOf(epoch);
    const random = options.random.split("sample").split(epoch);
    const planSample = (position: number, images: number): PlannedSample => {
      const index = order[position] as number;
      const read = (from: number): Sample | Promise<Sample> =>
        dataset.sample(from, {
          random: random.split(position),
          images,
          captions: options.captionsPerSample,
        });
      return {
        position,
        read: () =>
          options.onBadSample === "throw"
            ? read(index)
            : readOrNext(read, index, { size, onSkip: options.onSkip }),
      };
    };
    const count = Math.min(batchSize, size - first);
    const samples = Array.from({ length: count }, (_, i) =>
      planSample(first + i, options.imagesPerSample),
    );
    // The ones that follow in the epoch's order, from its start again at its end.
    const captionsOnly = Array.from({ length: extraCaptions }, (_, i) =>
      planSample((first + count + i) % size, 0),
    );
    return { step, epoch, samples, captionsOnly };
  };
  return {
    stepsPerEpoch,
    async *plan(startStep: number) {
      for (let step = startStep; ; step++) yield planStep(step);
    },
  };
}

/** @throws DataError when the set is empty or smaller than a batch. */
function checkBatchFits(
  name: string,
  size: number,
  { batchSize, extraCaptions }: SourceOptions,
): void {
  if (size >= batchSize + extraCaptions) return;
  const wanted = extraCaptions > 0 ? ` and ${extraCaptions} extra captions` : "";
  throw new DataError(
    `data/createLoader: ${name}: expected at least a batch of ${batchSize} samples${wanted}, got ${size}. Lower training.batchSize${extraCaptions > 0 ? " or data.extraCaptions" : ""}, or add data.`,
  );
}

/** Orders by epoch; the latest two are kept, as batches prepared ahead cross the border of epochs. */
function createOrders(
  dataset: SizedDataset,
  options: SourceOptions,
): (epoch: number) => Uint32Array {
  const random: Random = options.random.split("order");
  const conceptOf =
    options.distinctConcepts && dataset.conceptOf
      ? (index: number) => dataset.conceptOf?.(index) ?? String(index)
      : undefined;
  const kept = new Map<number, Uint32Array>();
  return (epoch) => {
    let order = kept.get(epoch);
    if (order === undefined) {
      const { size } = dataset;
      order = epochOrder(random.split(epoch), { size, batchSize: options.batchSize, conceptOf });
      kept.set(epoch, order);
      if (kept.size > 2) kept.delete(Math.min(...kept.keys()));
    }
    return order;
  };
}

/** The sample at `index`, or the first readable one after it: which one depends on the data alone, so that runs replay. */
async function readOrNext(
  read: (index: number) => Sample | Promise<Sample>,
  index: number,
  options: { readonly size: number; readonly onSkip: (error: Error) => void },
): Promise<Sample> {
  for (let skipped = 0; ; skipped++) {
    try {
      return await read((index + skipped) % options.size);
    } catch (error) {
      if (!isDiptychError(error, "DATA")) throw error;
      if (skipped + 1 >= Math.min(MOST_SKIPPED_IN_A_ROW, options.size)) {
        throw new DataError(
          `data/createLoader: samples: expected a readable one among ${skipped + 1} in a row, got none. Check the data; the last problem: ${error.message}`,
          { cause: error },
        );
      }
      options.onSkip(error);
    }
  }
}
