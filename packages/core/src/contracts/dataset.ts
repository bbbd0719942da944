/** Dataset, sample and transform: what the loader turns into batches. */
import type { Random } from "../random/prng-contract.js";

/** Pixels: row-major, channels last, 8 bits; 4 channels are RGBA with straight alpha. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3 | 4;
  readonly data: Uint8Array;
}

/** One training sample: one or more pictures and captions of one concept. */
export interface Sample {
  /** Stable name for errors and reports, e.g. a path. */
  readonly id: string;
  /** Samples of equal `concept` are positives of each other; by default each sample is its own concept. */
  readonly concept?: string;
  readonly images: readonly Image[];
  readonly captions: readonly string[];
  /** Class or other labels for evaluators; a list where the sample has several values of one label. */
  readonly labels?: Readonly<Record<string, string | readonly string[]>>;
}

export interface SampleRequest {
  /** Seeded by (seed, epoch, position): the only source of chance, so that a run replays. */
  readonly random: Random;
  /** Pictures to give (distinct where there are enough), default 1; none are read for 0. */
  readonly images?: number;
  /** Captions to give, default 1. */
  readonly captions?: number;
}

/** A set of known size with random access. */
export interface SizedDataset {
  readonly kind: "sized";
  readonly name: string;
  readonly size: number;
  /** @throws DataError naming the sample that cannot be read. */
  sample(index: number, request: SampleRequest): Promise<Sample> | Sample;
  /** The concept of a sample, known without reading it: lets the loader keep equal ones out of one batch. */
  conceptOf?(index: number): string;
  /** Captions with every word that training may show (not every order of them): for vocabularies. */
  captions?(): Iterable<string>;
  /**
   * Hash of what the samples hold (files by content, or by path, size and time of change where that is all that is
   * cheap; the note says which), so that features and results of other data are never taken for these.
   */
  fingerprint?(): Promise<{ readonly hash: string; readonly note: string }>;
  dispose?(): Promise<void>;
}

/** A set that can only be read in its own order. */
export interface StreamingDataset {
  readonly kind: "streaming";
  readonly name: string;
  /** Samples from `position` on, in an order that (seed, epoch) decides. */
  stream(request: {
    readonly random: Random;
    readonly epoch: number;
    readonly position: number;
  }): AsyncIterable<Sample>;
  captions?(): Iterable<string>;
  dispose?(): Promise<void>;
}

export type Dataset = SizedDataset | StreamingDataset;

/** A change of one picture; `random` is seeded per (seed, epoch, sample, picture). Evaluation transforms ignore it. */
export interface ImageTransform {
  readonly name: string;
  apply(image: Image, random: Random): Image | Promise<Image>;
}
