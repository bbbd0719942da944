/** Embedding a whole set: each sample's pictures and captions, with progress, ended by a signal, and from the cache where it was done before. */
import {
  createHostTensor,
  DataError,
  type EvaluationContext,
  type FeatureKey,
  type Image,
  type Sample,
} from "@diptych/core";
import { cachedFeatures, contentHash } from "./features/cached-features.js";
import { restoreSamples, storeSamples } from "./features/stored-samples.js";
import type { Embeddings } from "./ranking.js";

export interface EmbeddedSamples {
  readonly samples: readonly Omit<Sample, "images">[];
  /** One row per picture, and the sample that each row belongs to. */
  readonly images: Embeddings;
  readonly imageSample: readonly number[];
  /** One row per caption. */
  readonly texts?: Embeddings;
  readonly textSample: readonly number[];
}

export interface EmbedOptions {
  readonly texts: boolean;
  /** Different pictures of each sample, at most. */
  readonly imagesPerSample?: number;
  /** Different captions of each sample, at most; `all`: up to {@link MOST_CAPTIONS}. */
  readonly captionsPerSample?: number | "all";
  /** Whether rows are scaled to length 1; true by default. */
  readonly normalize?: boolean;
  readonly batchSize?: number;
}

/** Captions asked for where all of a sample's are wanted: datasets repeat theirs when they have fewer. */
const MOST_CAPTIONS = 64;

/**
 * Embeds `context.dataset`, or takes it from `context.cache` where dataset, request, stream of chance, model and
 * preparation are the same. Samples that repeat a picture or caption, because they have fewer than were asked for, count it
 * once.
 *
 * @throws DataError on an empty set, and what the set throws.
 */
export async function embedDataset(
  context: EvaluationContext,
  options: EmbedOptions,
): Promise<EmbeddedSamples> {
  const { dataset, cache, report } = context;
  if (dataset.size === 0) {
    throw new DataError(
      `zeroshot/embedDataset: ${dataset.name}: expected at least one sample, got none.`,
    );
  }
  const embedded = await cachedFeatures(cache, {
    key: () => featureKey(context, options),
    compute: () => embedSamples(context, options),
    restore: (features) => restoreSamples(features, { size: dataset.size, texts: options.texts }),
    store: storeSamples,
  });
  report?.(dataset.size, dataset.size);
  return embedded;
}

/** Undefined for a dataset that does not say what it holds. */
async function featureKey(
  { dataset, random }: EvaluationContext,
  { texts, imagesPerSample, captionsPerSample, normalize }: EmbedOptions,
): Promise<FeatureKey | undefined> {
  const fingerprint = await dataset.fingerprint?.();
  if (!fingerprint) return undefined;
  // The stream decides which captions are drawn; its first numbers tell it from others.
  const stream = random.split("features");
  const content = contentHash([
    fingerprint.hash,
    dataset.size,
    [texts, imagesPerSample ?? 1, captionsPerSample ?? 1, normalize ?? true],
    [stream.nextUint32(), stream.nextUint32()],
  ]);
  return { what: "dataset", content };
}

async function embedSamples(
  { dataset, encode, random, signal, report }: EvaluationContext,
  {
    texts: withTexts,
    imagesPerSample = 1,
    captionsPerSample = 1,
    normalize = true,
    batchSize = 128,
  }: EmbedOptions,
): Promise<EmbeddedSamples> {
  const samples: Omit<Sample, "images">[] = [];
  const imageRows = createRows();
  const textRows = createRows();
  const imageSample: number[] = [];
  const textSample: number[] = [];
  const encodeOptions = { normalize, ...(signal ? { signal } : {}) };
  for (let start = 0; start < dataset.size; start += batchSize) {
    const images: Image[] = [];
    const captions: string[] = [];
    for (let i = start; i < Math.min(dataset.size, start + batchSize); i++) {
      signal?.throwIfAborted();
      const request = {
        random: random.split(i),
        images: imagesPerSample,
        captions: captionsPerSample === "all" ? MOST_CAPTIONS : captionsPerSample,
      };
      const { images: pictures, ...rest } = await dataset.sample(i, request);
      const [distinct, texts] = [distinctImages(pictures), [...new Set(rest.captions)]];
      samples.push({ ...rest, captions: texts });
      images.push(...distinct);
      imageSample.push(...distinct.map(() => i));
      if (withTexts) {
        captions.push(...texts);
        textSample.push(...texts.map(() => i));
      }
    }
    if (images.length > 0) imageRows.add(await encode.images(images, encodeOptions));
    if (captions.length > 0) textRows.add(await encode.texts(captions, encodeOptions));
    report?.(Math.min(dataset.size, start + batchSize), dataset.size);
  }
  const texts = withTexts ? { texts: textRows.all() } : {};
  return Object.freeze({ samples, images: imageRows.all(), imageSample, textSample, ...texts });
}

function distinctImages(images: readonly Image[]): readonly Image[] {
  if (images.length < 2) return images;
  const isEqual = (a: Image, b: Image): boolean =>
    a === b ||
    (a.width === b.width && a.channels === b.channels && Buffer.compare(a.data, b.data) === 0);
  return images.filter(
    (image, i) => !images.slice(0, i).some((earlier) => isEqual(image, earlier)),
  );
}

function createRows(): { add(rows: Embeddings): void; all(): Embeddings } {
  const parts: Embeddings[] = [];
  return {
    add: (rows) => parts.push(rows),
    all: () => {
      const width = parts[0]?.shape[1] ?? 0;
      const count = parts.reduce((total, part) => total + (part.shape[0] ?? 0), 0);
      const data = new Float32Array(count * width);
      let at = 0;
      for (const part of parts) {
        data.set(part.data, at);
        at += part.data.length;
      }
      return createHostTensor("float32", [count, width], data);
    },
  };
}
