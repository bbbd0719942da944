/** Embedding: any number of pictures and texts, in batches, one compiled graph a modality, weights on the device. */
import {
  ConfigError,
  createHostTensor,
  DataError,
  ShapeError,
  type Backend,
  type ConstantPrecision,
  type EncodeFunctions,
  type Encoder,
  type HostTensor,
  type Image,
  type MultiEncoder,
  type Tokenizer,
} from "@diptych/core";
import { createFeatureRows, type FeatureRows } from "./feature-rows.js";
import { planTextBatches, tokenRows, WINDOW_BATCHES, type Tokens } from "./text-batches.js";
import { openTower, runTower, type ParameterSource, type Tower } from "./tower.js";

/** A picture: a path, the bytes of a file, or decoded pixels. */
export type ImageSource = string | Uint8Array | Image;

export interface EncoderRuntimeOptions {
  readonly backend: Backend;
  readonly model: MultiEncoder;
  readonly parameters: ParameterSource;
  readonly tokenizer: Tokenizer;
  /** Pictures to the image tower's input [n, channels, height, width]. */
  readonly prepareImages: (
    images: readonly ImageSource[],
    signal?: AbortSignal,
  ) => Promise<HostTensor<"float32">>;
  /** Samples embedded in one run; 32 by default. */
  readonly batchSize?: number;
  /** In how many bits weights are kept; float32 by default. */
  readonly precision?: ConstantPrecision;
}

export interface EncodeOptions {
  /** Whether rows are scaled to length 1; true by default. */
  readonly normalize?: boolean;
  /** Told after each batch. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Rows of features: [n, embedDim]. */
export type Features = HostTensor<"float32">;

/** Embeds in the order of its inputs; `dispose` frees what it put on the device. */
export interface EncoderRuntime extends EncodeFunctions {
  readonly embedDim: number;
  images(images: readonly ImageSource[], options?: EncodeOptions): Promise<Features>;
  texts(texts: readonly string[], options?: EncodeOptions): Promise<Features>;
  /** Prepared pictures, row after row: [n, channels, height, width]. @throws ShapeError on another length. */
  pixels(values: Float32Array, options?: EncodeOptions): Promise<Features>;
  /** Ids of texts, row after row: [n, contextLength], padded after the end. @throws ShapeError on another length. */
  tokens(ids: Int32Array, options?: EncodeOptions): Promise<Features>;
  dispose(): Promise<void>;
}

const DEFAULT_BATCH = 32;

/** Towers are compiled when they are first needed: who embeds only texts never loads the image tower. */
export function createEncoderRuntime(options: EncoderRuntimeOptions): EncoderRuntime {
  const { model, tokenizer, prepareImages, batchSize = DEFAULT_BATCH } = options;
  const { embedDim } = model;
  const vocab = vocabularyOf(model) ?? tokenizer.vocabSize;
  const towers = new Map<string, Promise<Tower>>();
  const towerOf = (modality: string): Promise<Tower> => {
    let tower = towers.get(modality);
    if (!tower) {
      tower = openTower(options, modality);
      towers.set(modality, tower);
      // A tower that failed to open is tried again by the next call.
      tower.catch(() => towers.delete(modality));
    }
    return tower;
  };
  /** `tokensOf` gives the ids of `count` texts from `start` on. */
  const embedTexts = async (
    rows: FeatureRows,
    total: number,
    tokensOf: (start: number, count: number) => Tokens,
  ): Promise<Features> => {
    const window = WINDOW_BATCHES * batchSize;
    for (let start = 0; start < total; start += window) {
      const tokens = tokensOf(start, Math.min(window, total - start));
      const tower = await towerOf("text");
      for (const batch of planTextBatches(tokens.lengths, batchSize)) {
        rows.checkSignal();
        const ids = tokenRows(tower.encoder, tokens, batch);
        const places = batch.map((place) => start + place);
        rows.write(await runTower(tower, ids, rows.signal), places);
      }
    }
    return rows.finish();
  };
  return Object.freeze({
    embedDim,
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
      const tower = await towerOf("image");
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
      const tower = await towerOf("image");
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
    texts: async (texts: readonly string[], encode: EncodeOptions = {}) => {
      const rows = createFeatureRows(texts.length, embedDim, encode);
      checkVocabulary(tokenizer, vocab);
      return embedTexts(rows, texts.length, (start, count) =>
        tokenizer.encodeBatch(texts.slice(start, start + count)),
      );
    },
    tokens: async (ids: Int32Array, encode: EncodeOptions = {}) => {
      const { contextLength, special } = tokenizer;
      const each = checkRows("encodeTokens", ids.length, [contextLength]);
      checkIds(ids, vocab);
      const total = ids.length / each;
      return embedTexts(createFeatureRows(total, embedDim, encode), total, (start, batch) => {
        const part = ids.subarray(start * each, (start + batch) * each);
        const lengths = trimmedLengths(part, contextLength, special.end ?? special.pad);
        return { ids: part, lengths, batch, contextLength };
      });
    },
    dispose: async () => {
      const opening = [...towers.values()];
      towers.clear();
      for (const tower of await Promise.allSettled(opening)) {
        if (tower.status === "fulfilled") await tower.value.executable.dispose();
      }
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

function checkRows(what: string, length: number, shape: readonly number[]): number {
  const each = shape.reduce((product, size) => product * size, 1);
  if (length % each === 0) return each;
  throw new ShapeError(
    `diptych/${what}: values: expected a multiple of ${each} ([n, ${shape.join(", ")}]), got ${length}. Give whole rows.`,
  );
}

/** Ids that the text tower has vectors for, where it says. */
function vocabularyOf(model: MultiEncoder): number | undefined {
  const vocab = model.encoders["text"]?.facts?.["vocab"];
  return typeof vocab === "number" ? vocab : undefined;
}

/** A public checkpoint does not carry its tokenizer: another vocabulary than CLIP's cannot be guessed. */
function checkVocabulary({ name, vocabSize }: Tokenizer, vocab: number): void {
  if (vocabSize <= vocab) return;
  throw new ConfigError(
    `diptych/encodeTexts: tokenizer: expected one of the model's ${vocab} ids, got "${name}" of ${vocabSize}. This model was made with a tokenizer of its own: encode with that, and give the ids to encodeTokens.`,
  );
}

function checkIds(ids: Int32Array, vocab: number): void {
  const wrong = ids.findIndex((id) => id < 0 || id >= vocab);
  if (wrong < 0) return;
  throw new DataError(
    `diptych/encodeTokens: ids[${wrong}]: expected an id from 0 to ${vocab - 1}, got ${ids[wrong]}. Use this model's tokenizer.`,
  );
}

/**
 * Length of each row up to and with its first end-of-text (padding where there is none): what follows a text's end changes
 * nothing.
 */
function trimmedLengths(ids: Int32Array, contextLength: number, end: number): Int32Array {
  return Int32Array.from({ length: ids.length / contextLength }, (_, row) => {
    const at = ids.subarray(row * contextLength, (row + 1) * contextLength).indexOf(end);
    return at < 0 ? contextLength : Math.max(1, at + 1);
  });
}
