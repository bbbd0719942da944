/** Pictures prepared batch after batch, the next one while the one before is used. */
import type { HostTensor } from "@diptych/core";
import type { EncoderRuntimeOptions, ImageSource } from "./encoder-runtime.js";

/** Pictures from position `first` on. */
export interface PreparedPictures {
  readonly first: number;
  readonly pixels: HostTensor<"float32">;
}

export interface PrepareAheadOptions {
  readonly batchSize: number;
  readonly prepareImages: EncoderRuntimeOptions["prepareImages"];
  readonly signal: AbortSignal | undefined;
}

/** Batches in order; the first is prepared at once. @throws the signal's reason, and what `prepareImages` throws. */
export function prepareAhead(
  images: readonly ImageSource[],
  { batchSize, prepareImages, signal }: PrepareAheadOptions,
): AsyncIterable<PreparedPictures> {
  const prepare = (first: number): Promise<HostTensor<"float32">> => {
    const preparing = prepareImages(images.slice(first, first + batchSize), signal);
    // Awaited one batch later: until then nobody would hear of its failure.
    preparing.catch(() => undefined);
    return preparing;
  };
  let next = images.length > 0 ? prepare(0) : undefined;
  return {
    async *[Symbol.asyncIterator]() {
      for (let first = 0; next; first += batchSize) {
        signal?.throwIfAborted();
        const pixels = await next;
        const following = first + batchSize;
        next = following < images.length ? prepare(following) : undefined;
        yield { first, pixels };
      }
    },
  };
}
