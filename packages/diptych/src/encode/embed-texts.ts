/** Embedding texts: windows of them are turned into ids, sorted by length, run and put back in order. */
import { ConfigError, DataError, type MultiEncoder, type Tokenizer } from "@diptych/core";
import type { Embed, EncodeOptions, Features } from "./encoder-runtime.js";
import { createFeatureRows, type FeatureRows } from "./feature-rows.js";
import { checkRows } from "./row-checks.js";
import { planTextBatches, tokenRows, WINDOW_BATCHES, type Tokens } from "./text-batches.js";
import { runTower, type Tower } from "./tower.js";

export interface TextEmbeddingOptions {
  readonly model: MultiEncoder;
  readonly batchSize: number;
  readonly tokenizer: Tokenizer;
  readonly tower: () => Promise<Tower>;
}

export interface TextEmbedding {
  readonly texts: Embed<readonly string[]>;
  readonly tokens: Embed<Int32Array>;
}

export function createTextEmbedding(options: TextEmbeddingOptions): TextEmbedding {
  const { model, tokenizer } = options;
  const { embedDim } = model;
  const vocab = vocabularyOf(model) ?? tokenizer.vocabSize;
  return Object.freeze({
    texts: async (texts: readonly string[], encode: EncodeOptions = {}) => {
      const rows = createFeatureRows(texts.length, embedDim, encode);
      checkVocabulary(tokenizer, vocab);
      return embedWindows(options, { rows, total: texts.length }, (start, count) =>
        tokenizer.encodeBatch(texts.slice(start, start + count)),
      );
    },
    tokens: async (ids: Int32Array, encode: EncodeOptions = {}) => {
      const { contextLength, special } = tokenizer;
      const each = checkRows("encodeTokens", ids.length, [contextLength]);
      checkIds(ids, vocab);
      const total = ids.length / each;
      const rows = createFeatureRows(total, embedDim, encode);
      return embedWindows(options, { rows, total }, (start, batch) => {
        const part = ids.subarray(start * each, (start + batch) * each);
        const lengths = trimmedLengths(part, contextLength, special.end ?? special.pad);
        return { ids: part, lengths, batch, contextLength };
      });
    },
  });
}

/** `tokensOf` gives the ids of `count` texts from `start` on. */
async function embedWindows(
  { batchSize, tower: open }: TextEmbeddingOptions,
  { rows, total }: { readonly rows: FeatureRows; readonly total: number },
  tokensOf: (start: number, count: number) => Tokens,
): Promise<Features> {
  const window = WINDOW_BATCHES * batchSize;
  for (let start = 0; start < total; start += window) {
    const tokens = tokensOf(start, Math.min(window, total - start));
    const tower = await open();
    for (const batch of planTextBatches(tokens.lengths, batchSize)) {
      rows.checkSignal();
      const ids = tokenRows(tower.encoder, tokens, batch);
      const places = batch.map((place) => start + place);
      rows.write(await runTower(tower, ids, rows.signal), places);
    }
  }
  return rows.finish();
}

/** Ids that the text tower has vectors for, where it says. */
function vocabularyOf(model: MultiEncoder): number | undefined {
  const vocab = model.encoders["text"]?.facts["vocab"];
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
