/** Embedding pictures: batch after batch, the next one prepared while one runs. */
import { createHostTensor, type Encoder, type HostTensor } from "@diptych/core";
import type {
  Embed,
  EncodeOptions,
  EncoderRuntimeOptions,
  ImageSource,
} from "./encoder-runtime.js";
import { createFeatureRows } from "./feature-rows.js";
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
      const batches = slices(images.length, batchSize);
      if (batches.length === 0) return rows.finish();
      const prepare = (at: number): Promise<HostTensor<"float32">> | undefined => {
        const batch = batches[at];
        if (!batch) return undefined;
        const [first = 0] = batch;
        const preparing = prepareImages(images.slice(first, first + batch.length), rows.signal);
        // Awaited one batch later: until then nobody would hear of its failure.
        preparing.catch(() => undefined);
        return preparing;
      };
      let next = prepare(0);
      const tower = await open();
      for (const [at, batch] of batches.entries()) {
        rows.checkSignal();
        const prepared = await next;
        // The next batch is decoded while this one runs.
        next = prepare(at + 1);
        if (prepared) rows.write(await runTower(tower, prepared, rows.signal), batch);
      }
      return rows.finish();
    },
    pixels: async (values: Float32Array, encode: EncodeOptions = {}) => {
      const tower = await open();
      const shape = rowShape(tower.encoder);
      const each = checkRows("encodePixels", values.length, shape);
      const rows = createFeatureRows(values.length / each, embedDim, encode);
      for (const batch of slices(values.length / each, batchSize)) {
        rows.checkSignal();
        const [first = 0] = batch;
        const part = values.subarray(first * each, (first + batch.length) * each);
        const pixels = createHostTensor("float32", [batch.length, ...shape], part);
        rows.write(await runTower(tower, pixels, rows.signal), batch);
      }
      return rows.finish();
    },
  });
}

/** Positions 0…count−1 in runs of `size`. */
function slices(count: number, size: number): readonly (readonly number[])[] {
  return Array.from({ length: Math.ceil(count / size) }, (_, i) =>
    Array.from({ length: Math.min(size, count - i * size) }, (_, j) => i * size + j),
  );
}

function rowShape({ inputs: [spec] }: Encoder): readonly number[] {
  return (spec?.shape.slice(1) ?? []).map(Number);
}
