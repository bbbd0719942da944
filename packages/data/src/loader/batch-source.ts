/** Which samples make which batch: what sized and streaming sets have in common for the loader. */
import type { Random, Sample } from "@diptych/core";

/** The samples of one step, not yet read. */
export interface PlannedBatch {
  readonly step: number;
  readonly epoch: number;
  readonly samples: readonly PlannedSample[];
  /** Samples that give captions alone, after those of `samples`. */
  readonly captionsOnly: readonly PlannedSample[];
}

export interface PlannedSample {
  /** Place in the epoch: with seed and epoch, all that its randomness depends on. */
  readonly position: number;
  read(): Sample | Promise<Sample>;
}

export interface BatchSource {
  /** Undefined where the size is not known. */
  readonly stepsPerEpoch: number | undefined;
  /** Batches from `startStep` on, without end. */
  plan(startStep: number): AsyncIterable<PlannedBatch>;
}

export interface SourceOptions {
  /** The run's generator: sources split their own streams from it. */
  readonly random: Random;
  readonly batchSize: number;
  readonly imagesPerSample: number;
  readonly captionsPerSample: number;
  /** Further samples a batch that give captions alone. */
  readonly extraCaptions: number;
  readonly dropLast: boolean;
  readonly distinctConcepts: boolean;
  readonly onBadSample: "throw" | "skip";
  /** Told of each sample that was skipped. */
  readonly onSkip: (error: Error) => void;
}
