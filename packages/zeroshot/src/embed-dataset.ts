/** Embedding a whole set: each sample's pictures and captions, with progress, and ended by a signal. */
import {
  createHostTensor,
  DataError,
  type EvaluationContext,
  type Image,
  type Sample,
} from "@diptych/core";
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
  readonly imagesPerSample?: number;
  readonly captionsPerSample?: number;
  readonly batchSize?: number;
}

/** @throws DataError on an empty set, and what the set throws. */
export async function embedDataset(
  context: EvaluationContext,
  options: EmbedOptions,
): Promise<EmbeddedSamples> {
  const { dataset, encode, random, signal, report } = context;
  const { texts: withTexts, imagesPerSample = 1, captionsPerSample = 1, batchSize = 128 } = options;
  if (dataset.size === 0) {
    throw new DataError(
      `zeroshot/embedDataset: ${dataset.name}: expected at least one sample, got none.`,
    );
  }
  const samples: Omit<Sample, "images">[] = [];
  const imageRows = createRows();
  const textRows = createRows();
  const imageSample: number[] = [];
  const textSample: number[] = [];
  for (let start = 0; start < dataset.size; start += batchSize) {
    const images: Image[] = [];
    const captions: string[] = [];
    for (let i = start; i < Math.min(dataset.size, start + batchSize); i++) {
      signal?.throwIfAborted();
      const request = {
        random: random.split(i),
        images: imagesPerSample,
        captions: captionsPerSample,
      };
      const { images: pictures, ...rest } = await dataset.sample(i, request);
      samples.push(rest);
      images.push(...pictures);
      imageSample.push(...pictures.map(() => i));
      if (withTexts) {
        captions.push(...rest.captions);
        textSample.push(...rest.captions.map(() => i));
      }
    }
    if (images.length > 0) imageRows.add(await encode.images(images));
    if (captions.length > 0) textRows.add(await encode.texts(captions));
    report?.(Math.min(dataset.size, start + batchSize), dataset.size);
  }
  const texts = withTexts ? { texts: textRows.all() } : {};
  return Object.freeze({ samples, images: imageRows.all(), imageSample, textSample, ...texts });
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
