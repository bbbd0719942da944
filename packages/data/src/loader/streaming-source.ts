/** Batches of a set that can only be read in its own order. */
import { ConfigError, DataError, type Sample, type StreamingDataset } from "@diptych/core";
import type { BatchSource, PlannedBatch, SourceOptions } from "./batch-source.js";

interface Place {
  readonly epoch: number;
  readonly position: number;
}

/**
 * An epoch's samples in batches; the rest below a batch is left out with `dropLast`. A start at a later step jumps
 * there by position while that is in the first epoch; beyond it, epochs are counted through, as their sizes are unknown.
 *
 * @throws ConfigError where captions of further samples are asked for, which a stream cannot look up.
 */
export function createStreamingSource(
  dataset: StreamingDataset,
  options: SourceOptions,
): BatchSource {
  if (options.extraCaptions > 0) {
    throw new ConfigError(
      `data/createLoader: extraCaptions: expected 0 for ${dataset.name}, which is a stream, got ${options.extraCaptions}. Leave it out, or use a set of known size.`,
    );
  }
  return {
    stepsPerEpoch: undefined,
    async *plan(startStep: number) {
      let place = await findPlace(dataset, options, startStep);
      for (let step = startStep; ; place = { epoch: place.epoch + 1, position: 0 }) {
        const first = step;
        for await (const samples of batchesFrom(dataset, options, place)) {
          yield planned(step++, place.epoch, samples);
        }
        if (step === first && place.position === 0) throw tooSmall(dataset.name, options);
      }
    },
  };
}

interface ReadSample {
  readonly position: number;
  readonly sample: Sample;
}

function planned(step: number, epoch: number, read: readonly ReadSample[]): PlannedBatch {
  const samples = read.map(({ position, sample }) => ({ position, read: () => sample }));
  return { step, epoch, samples, captionsOnly: [] };
}

async function* batchesFrom(
  dataset: StreamingDataset,
  options: SourceOptions,
  place: Place,
): AsyncGenerator<readonly ReadSample[]> {
  let batch: ReadSample[] = [];
  let { position } = place;
  for await (const sample of openStream(dataset, options, place)) {
    batch.push({ position: position++, sample });
    if (batch.length < options.batchSize) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0 && !options.dropLast) yield batch;
}

function openStream(
  dataset: StreamingDataset,
  options: SourceOptions,
  { epoch, position }: Place,
): AsyncIterable<Sample> {
  return dataset.stream({ random: options.random.split("order").split(epoch), epoch, position });
}

async function findPlace(
  dataset: StreamingDataset,
  options: SourceOptions,
  step: number,
): Promise<Place> {
  if (step === 0) return { epoch: 0, position: 0 };
  const jump = { epoch: 0, position: step * options.batchSize };
  for await (const _ of batchesFrom(dataset, options, jump)) return jump;
  let left = step;
  for (let epoch = 0; ; epoch++) {
    let steps = 0;
    for await (const _ of batchesFrom(dataset, options, { epoch, position: 0 })) {
      if (steps === left) return { epoch, position: left * options.batchSize };
      steps += 1;
    }
    if (steps === 0) throw tooSmall(dataset.name, options);
    left -= steps;
  }
}

function tooSmall(name: string, options: SourceOptions): DataError {
  return new DataError(
    `data/createLoader: ${name}: expected a stream of at least ${options.dropLast ? `a batch of ${options.batchSize}` : "one"} samples an epoch, got fewer. Lower training.batchSize, or add data.`,
  );
}
