/** Datasets and a tokenizer in memory for the loader's tests. */
import { DataError, type SizedDataset, type StreamingDataset, type Tokenizer } from "@diptych/core";
import { checkIndex } from "../datasets/check-index.js";

export interface NumbersOptions {
  /** Concept of an index; default none. */
  readonly concept?: (index: number) => string;
  /** Indices that cannot be read. */
  readonly bad?: readonly number[];
  /** Reads after a turn of the event loop. */
  readonly slow?: boolean;
}

/** Sample i: 2×2 RGB pictures of brightness i with some chance in the green, captioned by its number. */
export function numbersDataset(size: number, options: NumbersOptions = {}): SizedDataset {
  const { concept, bad = [], slow = false } = options;
  return {
    kind: "sized",
    name: "numbers",
    size,
    ...(concept ? { conceptOf: concept } : {}),
    sample: (index, { random, images = 1, captions = 1 }) => {
      checkIndex(index, size, "numbers");
      if (bad.includes(index))
        throw new DataError(`test: ${index}.png: expected a picture, got none.`);
      const sample = {
        id: `${index}.png`,
        ...(concept ? { concept: concept(index) } : {}),
        images: Array.from({ length: images }, () => ({
          width: 2,
          height: 2,
          channels: 3 as const,
          data: Uint8Array.from({ length: 12 }, (_, i) =>
            i % 3 === 1 ? random.integer(256) : index,
          ),
        })),
        captions: Array.from({ length: captions }, () => `${index} ${random.integer(10)}`),
      };
      return slow ? new Promise((resolve) => setImmediate(resolve, sample)) : sample;
    },
  };
}

/** An epoch of `size` samples, rotated by the epoch. */
export function numbersStream(size: number): StreamingDataset {
  return {
    kind: "streaming",
    name: "number stream",
    async *stream({ epoch, position }) {
      for (let i = position; i < size; i++) {
        const value = (i + epoch) % size;
        yield {
          id: String(value),
          images: [{ width: 2, height: 2, channels: 3, data: new Uint8Array(12).fill(value) }],
          captions: [`${value} 0`],
        };
      }
    },
  };
}

/** Reads up to four numbers of a text. */
export const numberTokenizer: Tokenizer = {
  name: "numbers",
  vocabSize: 1000,
  contextLength: 4,
  special: { pad: 0 },
  encode: (text) => text.split(" ").map(Number),
  encodeBatch: (texts) => {
    const ids = new Int32Array(texts.length * 4);
    const lengths = new Int32Array(texts.length);
    texts.forEach((text, i) => {
      const encoded = text.split(" ").map(Number);
      if (encoded.length > 4) throw new DataError(`test: text: expected 4 tokens, got "${text}".`);
      ids.set(encoded, i * 4);
      lengths[i] = encoded.length;
    });
    return { ids, lengths, batch: texts.length, contextLength: 4 };
  },
  decode: (ids) => [...ids].join(" "),
  toJSON: () => ({ type: "numbers" }),
};
