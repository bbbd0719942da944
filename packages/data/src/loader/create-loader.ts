/** The loader: batches in an order that the seed decides, prepared while a training step runs. */
import {
  ConfigError,
  createRandom,
  type Dataset,
  type ImageTransform,
  type Tokenizer,
} from "@diptych/core";
import type { Channels3 } from "../image/image-tensor.js";
import type { ResizeMode } from "../image/resize-image.js";
import {
  allocateBatch,
  assembleBatch,
  type AssembleOptions,
  type BatchMemory,
  type Feeds,
} from "./assemble.js";
import type { BatchSource, SourceOptions } from "./batch-source.js";
import type { ImageView, TextView } from "./batch-views.js";
import { prefetch } from "./prefetch.js";
import { createSizedSource } from "./sized-source.js";
import { createStreamingSource } from "./streaming-source.js";

export interface LoaderOptions {
  readonly dataset: Dataset;
  /** Samples in a batch, each with `imagesPerSample` pictures and `captionsPerSample` captions. */
  readonly batchSize: number;
  readonly seed: number;
  /** Default 1 each. */
  readonly imagesPerSample?: number;
  readonly captionsPerSample?: number;
  /**
   * Further samples a batch that give their captions without pictures: negatives, for a text tower that costs little
   * beside the image tower. Default 0; sized sets only.
   */
  readonly extraCaptions?: number;
  /** Applied to each picture in turn; a result of another size is resized. */
  readonly imageTransforms?: readonly ImageTransform[];
  readonly tokenizer: Tokenizer;
  /** The batch's pictures and captions once more, as other models read them; none by default. */
  readonly imageViews?: readonly ImageView[];
  readonly textViews?: readonly TextView[];
  readonly imageHeight: number;
  readonly imageWidth: number;
  /** Of values in [0, 1]; default CLIP's. */
  readonly mean?: Channels3;
  readonly std?: Channels3;
  /** What transparent pixels show, 0–255; default white. */
  readonly background?: Channels3;
  /** How pictures that no transform brought to size get there; default "crop". */
  readonly resize?: ResizeMode;
  /** Leaves out what is below a batch at an epoch's end; default true. */
  readonly dropLast?: boolean;
  /** Batches prepared ahead; default 3. */
  readonly prefetch?: number;
  /** Keeps samples of one concept out of one batch, as far as there are others; default true. */
  readonly distinctConcepts?: boolean;
  /** `skip` takes the next readable sample of a sized set; default "throw". */
  readonly onBadSample?: "throw" | "skip";
  /** Told of each sample that was skipped. */
  readonly onSkip?: (error: Error) => void;
}

/** `feeds` may be read until the next batch is asked for: their memory is used again. */
export interface Batch {
  readonly step: number;
  readonly epoch: number;
  readonly feeds: Feeds;
}

export interface Loader {
  /** Undefined for streams. */
  readonly stepsPerEpoch: number | undefined;
  /** Milliseconds that the consumer waited for batches, the first of each run left out. */
  readonly waitedMs: number;
  /** Milliseconds until the first batch of the latest run. */
  readonly firstWaitMs: number;
  /** Samples skipped so far (`onBadSample: "skip"`). */
  readonly skipped: number;
  /**
   * Batches from `startStep` (default 0) on, without end: the same ones whether or not the run was interrupted before.
   *
   * @throws DataError naming the sample that cannot be read; the signal's reason when it is aborted.
   */
  batches(run?: {
    readonly startStep?: number;
    readonly signal?: AbortSignal;
  }): AsyncGenerator<Batch, void, undefined>;
}

/**
 * A loader of training batches. The order depends on (seed, epoch), randomness on (seed, epoch, position), so a batch
 * depends on (seed, step) alone. Batches are made on this thread in pieces of a sample, events in between, and
 * decoding on sharp's threads.
 *
 * @throws ConfigError on counts below 1, DataError when a batch is larger than the set.
 * @example
 * const loader = createLoader({ dataset, tokenizer, batchSize: 96, seed: 0, imageHeight: 32, imageWidth: 32 });
 * for await (const { step, feeds } of loader.batches({ startStep: 100 })) await train(step, feeds);
 */
export function createLoader(options: LoaderOptions): Loader {
  checkCounts(options);
  const state = { waitedMs: 0, firstWaitMs: 0, skipped: 0 };
  const random = createRandom(options.seed).split("loader");
  const assembly: AssembleOptions = {
    ...options,
    random,
    imagesPerSample: options.imagesPerSample ?? 1,
    captionsPerSample: options.captionsPerSample ?? 1,
    imageTransforms: options.imageTransforms ?? [],
    imageViews: options.imageViews ?? [],
    textViews: options.textViews ?? [],
    resize: options.resize ?? "crop",
  };
  const source = createSource(options.dataset, {
    random,
    batchSize: options.batchSize,
    imagesPerSample: assembly.imagesPerSample,
    captionsPerSample: assembly.captionsPerSample,
    extraCaptions: options.extraCaptions ?? 0,
    dropLast: options.dropLast ?? true,
    distinctConcepts: options.distinctConcepts ?? true,
    onBadSample: options.onBadSample ?? "throw",
    onSkip: (error) => {
      state.skipped += 1;
      options.onSkip?.(error);
    },
  });
  const ahead = options.prefetch ?? 3;
  return Object.freeze({
    stepsPerEpoch: source.stepsPerEpoch,
    get waitedMs() {
      return state.waitedMs;
    },
    get firstWaitMs() {
      return state.firstWaitMs;
    },
    get skipped() {
      return state.skipped;
    },
    batches: ({ startStep = 0, signal }: { startStep?: number; signal?: AbortSignal } = {}) => {
      let first = true;
      const onWait = (milliseconds: number): void => {
        if (first) state.firstWaitMs = milliseconds;
        else state.waitedMs += milliseconds;
        first = false;
      };
      const run = { startStep, signal, ring: ahead + 2, batchSize: options.batchSize };
      return prefetch(assembledBatches(source, assembly, run), { ahead, onWait });
    },
  });
}

function createSource(dataset: Dataset, options: SourceOptions): BatchSource {
  return dataset.kind === "sized"
    ? createSizedSource(dataset, options)
    : createStreamingSource(dataset, options);
}

interface AssemblyRun {
  readonly startStep: number;
  readonly signal: AbortSignal | undefined;
  /** Batches that exist at once. */
  readonly ring: number;
  readonly batchSize: number;
}

async function* assembledBatches(
  source: BatchSource,
  options: AssembleOptions,
  run: AssemblyRun,
): AsyncGenerator<Batch> {
  const ring: BatchMemory[] = [];
  let made = 0;
  for await (const planned of source.plan(run.startStep)) {
    run.signal?.throwIfAborted();
    const slot = made++ % run.ring;
    const memory = (ring[slot] ??= allocateBatch(run.batchSize, options));
    const feeds = await assembleBatch(planned, memory, options);
    yield Object.freeze({ step: planned.step, epoch: planned.epoch, feeds });
  }
}

function checkCounts(options: LoaderOptions): void {
  const counts = {
    batchSize: options.batchSize,
    imagesPerSample: options.imagesPerSample ?? 1,
    captionsPerSample: options.captionsPerSample ?? 1,
    imageHeight: options.imageHeight,
    imageWidth: options.imageWidth,
    prefetch: options.prefetch ?? 3,
  };
  const problems = Object.entries({ ...counts, extraCaptions: options.extraCaptions ?? 0 })
    .map(([path, value]) => ({ path, value, least: path === "extraCaptions" ? 0 : 1 }))
    .filter(({ value, least }) => !Number.isInteger(value) || value < least)
    .map(({ path, value, least }) => ({
      path,
      message: `expected an integer of at least ${least}, got ${value}`,
    }));
  if (problems.length > 0) {
    throw new ConfigError(
      `data/createLoader: ${problems.map((p) => `${p.path}: ${p.message}`).join("; ")}.`,
      problems,
    );
  }
}
