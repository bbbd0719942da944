/** Turns the samples of a step into its feeds: transformed pictures, token ids, and which rows show one concept. */
import {
  createHostTensor,
  DataError,
  isDiptychError,
  type HostTensor,
  type Image,
  type ImageTransform,
  type Random,
  type Sample,
  type Tokenizer,
} from "@diptych/core";
import { eachBounded } from "../each-bounded.js";
import { writeImage, type NormalizeOptions } from "../image/image-tensor.js";
import { resizeImage, type ResizeMode, type TargetSize } from "../image/resize-image.js";
import type { PlannedBatch, PlannedSample } from "./batch-source.js";
import {
  allocateViews,
  viewFeeds,
  writeViews,
  type ImageView,
  type TextView,
} from "./batch-views.js";
import { yieldToEvents } from "./yield-to-events.js";

/** What a step is fed, by input name. */
export type Feeds = Readonly<Record<string, HostTensor>>;

export interface AssembleOptions extends TargetSize, NormalizeOptions {
  readonly random: Random;
  readonly imagesPerSample: number;
  readonly captionsPerSample: number;
  readonly imageTransforms: readonly ImageTransform[];
  readonly resize: ResizeMode;
  readonly tokenizer: Tokenizer;
  readonly imageViews: readonly ImageView[];
  readonly textViews: readonly TextView[];
}

/** Memory of one batch's pictures, used again by a later one. */
export interface BatchMemory {
  /** For `image`. */
  readonly pixels: Float32Array;
  /** For each of the image views. */
  readonly views: readonly Float32Array[];
}

/** Memory for batches of up to `batchSize` samples. */
export function allocateBatch(batchSize: number, options: AssembleOptions): BatchMemory {
  const rows = batchSize * options.imagesPerSample;
  return {
    pixels: new Float32Array(rows * 3 * options.imageHeight * options.imageWidth),
    views: allocateViews(options.imageViews, rows),
  };
}

/** Samples worked on at once: decoding runs on libuv's four threads. */
const AT_ONCE = 4;

interface ReadSample {
  readonly id: string;
  /** Samples of equal text show the same concept. */
  readonly concept: string | undefined;
  readonly captions: readonly string[];
}

/**
 * Feeds `image` [n·V, 3, H, W] float32, `text` [n·C, contextLength] and `textLengths` [n·C] int32, `imageSample`
 * [n·V] and `textSample` [n·C] int32 (rows of equal numbers show one concept), `imageItem` and `textItem` likewise (rows
 * of equal numbers come from one sample). Rows of a sample follow each other; texts of samples that give captions alone
 * come last (their rows: n + E in place of n). Then what the views feed, in the same rows.
 *
 * @param memory Of a full batch.
 * @throws DataError naming the sample that cannot be read or has too few pictures or captions.
 */
export async function assembleBatch(
  batch: PlannedBatch,
  memory: BatchMemory,
  options: AssembleOptions,
): Promise<Feeds> {
  const { imagesPerSample, captionsPerSample, imageHeight, imageWidth } = options;
  const planned = [...batch.samples, ...batch.captionsOnly];
  const size = batch.samples.length;
  const read = new Array<ReadSample>(planned.length);
  const random = options.random.split("transform").split(batch.epoch);
  await eachBounded(planned.length, AT_ONCE, async (i) => {
    const one = planned[i] as PlannedSample;
    const sample = await one.read();
    checkCounts(sample, i < size ? options : { ...options, imagesPerSample: 0 });
    if (i < size) {
      await writePictures(sample, random.split(one.position), {
        ...options,
        memory,
        row: i * imagesPerSample,
      });
    }
    const captions = sample.captions.slice(0, captionsPerSample);
    read[i] = { id: sample.id, concept: sample.concept, captions };
    await yieldToEvents();
  });
  const concepts = numberConcepts(read);
  const texts = encodeTexts(read, options.tokenizer);
  const { pixels, views } = memory;
  const items = Int32Array.from(planned, (_, i) => i);
  const rows = size * imagesPerSample;
  const imageElements = rows * 3 * imageHeight * imageWidth;
  return Object.freeze({
    image: createHostTensor(
      "float32",
      [rows, 3, imageHeight, imageWidth],
      pixels.subarray(0, imageElements),
    ),
    text: createHostTensor("int32", [texts.batch, texts.contextLength], texts.ids),
    textLengths: createHostTensor("int32", [texts.batch], texts.lengths),
    imageSample: repeatEach(concepts.subarray(0, size), imagesPerSample),
    textSample: repeatEach(concepts, captionsPerSample),
    imageItem: repeatEach(items.subarray(0, size), imagesPerSample),
    textItem: repeatEach(items, captionsPerSample),
    ...viewFeeds(options.imageViews, views, rows),
    ...textViewFeeds(read, options.textViews),
  });
}

function checkCounts(sample: Sample, options: AssembleOptions): void {
  const check = (what: string, got: number, wanted: number, option: string): void => {
    if (got >= wanted) return;
    throw new DataError(
      `data/createLoader: ${sample.id}: expected ${wanted} ${what}, got ${got}. Lower data.${option}, or use a dataset that gives as many.`,
    );
  };
  check("pictures", sample.images.length, options.imagesPerSample, "imagesPerSample");
  check("captions", sample.captions.length, options.captionsPerSample, "captionsPerSample");
}

interface PictureTarget extends AssembleOptions {
  readonly memory: BatchMemory;
  /** Row of the first picture. */
  readonly row: number;
}

async function writePictures(sample: Sample, random: Random, target: PictureTarget): Promise<void> {
  const { imageHeight, imageWidth, imagesPerSample, memory } = target;
  const elements = 3 * imageHeight * imageWidth;
  for (let v = 0; v < imagesPerSample; v++) {
    let image = sample.images[v] as Image;
    for (const [t, transform] of target.imageTransforms.entries()) {
      const changed = transform.apply(image, random.split(v).split(t));
      image = changed instanceof Promise ? await changed : changed;
    }
    await writeViews(image, target.row + v, { views: target.imageViews, memory: memory.views });
    if (image.width !== imageWidth || image.height !== imageHeight) {
      image = await resizeImage(image, target, target.resize);
    }
    writeImage(image, memory.pixels, (target.row + v) * elements, target);
  }
}

/** Each sample's concept as the number of the first sample in the batch that shows it. */
function numberConcepts(read: readonly ReadSample[]): Int32Array {
  const first = new Map<string, number>();
  return Int32Array.from(read, ({ concept }, i) => {
    if (concept === undefined) return i;
    const number = first.get(concept) ?? i;
    first.set(concept, number);
    return number;
  });
}

function repeatEach(numbers: Int32Array, times: number): HostTensor<"int32"> {
  const data = new Int32Array(numbers.length * times);
  numbers.forEach((number, i) => data.fill(number, i * times, (i + 1) * times));
  return createHostTensor("int32", [data.length], data);
}

function encodeTexts(
  read: readonly ReadSample[],
  tokenizer: Tokenizer,
): ReturnType<Tokenizer["encodeBatch"]> {
  try {
    return tokenizer.encodeBatch(read.flatMap(({ captions }) => captions));
  } catch (error) {
    if (!isDiptychError(error, "DATA")) throw error;
    // The tokenizer knows the text, not where it came from.
    for (const { id, captions } of read) {
      try {
        tokenizer.encodeBatch(captions);
      } catch (cause) {
        if (!isDiptychError(cause, "DATA")) throw cause;
        throw new DataError(`${cause.message} (sample ${id})`, { cause });
      }
    }
    throw error;
  }
}

function textViewFeeds(read: readonly ReadSample[], views: readonly TextView[]): Feeds {
  return Object.fromEntries(
    views.map(({ name, tokenizer }) => {
      const { batch, contextLength, ids } = encodeTexts(read, tokenizer);
      return [name, createHostTensor("int32", [batch, contextLength], ids)];
    }),
  );
}
