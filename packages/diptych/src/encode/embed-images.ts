/** Embedding pictures: batch after batch, the next one prepared while one runs. */
import { createHostTensor, type Encoder } from "@diptych/core";
import type {
  Embed,
  EncodeOptions,
  EncoderRuntimeOptions,
  ImageSource,
} from "./encoder-runtime.js";
import { createFeatureRows } from "./feature-rows.js";
import { prepareAhead } from "./prepare-ahead.js";
import { checkRows } from "./row-checks.js";
import { runTower, type Tower } from "./tower.js";

export interface ImageEmbeddingOptions {
  readonly embedDim: number;
  readonly batchSize: number;
  readonly prepareImages: EncoderRuntimeOptions["prepareImages"];
  readonly tower: () => Promise<Tower>;
}

export interface ImageEmbedding {
  readonly images: Embed<readonly ImageSource[]>;
  readonly pixels: Embed<Float32Array>;
}

export function createImageEmbedding({
  embedDim,
  batchSize,
  prepareImages,
  tower: open,
}: ImageEmbeddingOptions): ImageEmbedding {
  return Object.freeze({
    images: async (images: readonly ImageSource[], encode: EncodeOptions = {}) => {
      const rows = createFeatureRows(images.length, embedDim, encode);
      if (images.length === 0) return rows.finish();
      const { signal } = rows;
      const batches = prepareAhead(images, { batchSize, prepareImages, signal });
      const tower = await open();
      for await (const { first, pixels } of batches) {
        const [count = 0] = pixels.shape;
        rows.write(await runTower(tower, pixels, signal), positions(first, count));
      }
      return rows.finish();
    },
    pixels: async (values: Float32Array, encode: EncodeOptions = {}) => {
      const tower = await open();
      const shape = rowShape(tower.encoder);
      const each = checkRows("encodePixels", values.length, shape);
      const rows = createFeatureRows(values.length / each, embedDim, encode);
      for (let first = 0; first * each < values.length; first += batchSize) {
        rows.checkSignal();
        const part = values.subarray(first * each, (first + batchSize) * each);
        const batch = positions(first, part.length / each);
        const pixels = createHostTensor("float32", [batch.length, ...shape], part);
        rows.write(await runTower(tower, pixels, rows.signal), batch);
      }
      return rows.finish();
    },
  });
}

function positions(first: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

function rowShape({ inputs: [spec] }: Encoder): readonly number[] {
  return (spec?.shape.slice(1) ?? []).map(Number);
}
