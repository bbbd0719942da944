/**
 * CLIP's byte-pair tokenizer. Ids equal those of open_clip's SimpleTokenizer, the repair of broken text by ftfy included.
 * Source: Radford et al. 2021 (arXiv 2103.00020), section 2.4; openai/CLIP simple_tokenizer.py.
 */
import { ConfigError, type TokenBatch, type Tokenizer } from "@diptych/core";
import { createBpeState, type BpeTokenizerState } from "./bpe-state.js";
import { byteOfId } from "./byte-order.js";
import { createTextEncoder, type BpeParts, type EncodedText } from "./encode-text.js";
import { checkContextLength, textTooLong, type Context, type Truncation } from "./fit-context.js";
import { createKeptSymbols } from "./kept-symbols.js";
import { openClipSpecialNames, type SpecialNames } from "./split-words.js";
import { loadClipVocabulary, readVocabulary } from "./vocabulary-file.js";

const origin = "text-transformer/createBpeTokenizer";

/** Choices of `createBpeTokenizer`. */
export interface BpeTokenizerOptions {
  /** Ids per row, start and end included; 77 by default. */
  readonly contextLength?: number;
  /** "error" (default, as openai/CLIP) refuses longer text; "cut" keeps its beginning and ends it with the end-of-text id (as open_clip). */
  readonly truncate?: Truncation;
  /** Bytes of another merges file, gzipped or plain; CLIP's by default. */
  readonly vocabulary?: Uint8Array;
  /** Ids of the whole vocabulary to keep (see `cutVocabulary`); single bytes and special ids are always kept. All by default. */
  readonly keep?: readonly number[];
  /** How the special ids are written inside a text; open_clip's names by default. */
  readonly specialNames?: SpecialNames;
}

/** A byte-pair tokenizer; immutable but for a cache of words. */
export interface BpeTokenizer extends Tokenizer {
  readonly special: { readonly start: number; readonly end: number; readonly pad: number };
  /** [vocabSize]: id in the whole vocabulary of each id in use, which is also the row to take from a full embedding table. */
  readonly originalIds: Int32Array;
  toJSON(): BpeTokenizerState;
  /** What it was made with, defaults filled in. */
  readonly options: Required<
    Pick<BpeTokenizerOptions, "contextLength" | "truncate" | "specialNames">
  > &
    Pick<BpeTokenizerOptions, "vocabulary" | "keep">;
}

/**
 * Makes CLIP's tokenizer; CLIP's vocabulary is read on the first call in a process.
 * `encode` gives start, words, end without padding; a text that itself spells the end-of-text name ends there, since
 * nothing after it can reach a causal text tower's output. `decode` gives the text up to the first end, cleaned.
 * `encodeBatch` pads with 0.
 * @throws ConfigError for a context below 2 ids or a kept id outside the vocabulary; DataError for a damaged vocabulary.
 *   `encode` and `encodeBatch` throw DataError for a text longer than the context unless `truncate` is "cut".
 * @example
 * createBpeTokenizer().encode("a photo of a cat."); // [49406, 320, 1125, 539, 320, 2368, 269, 49407]
 */
export function createBpeTokenizer(options: BpeTokenizerOptions = {}): BpeTokenizer {
  const { contextLength = 77, truncate = "error", specialNames = openClipSpecialNames } = options;
  checkContextLength(origin, contextLength, 2);
  checkTruncation(truncate);
  const vocabulary =
    options.vocabulary === undefined ? loadClipVocabulary() : readVocabulary(options.vocabulary);
  const kept = options.keep === undefined ? undefined : createKeptSymbols(vocabulary, options.keep);
  const vocabSize = kept === undefined ? vocabulary.symbols + 2 : kept.original.length;
  const special = Object.freeze({ start: vocabSize - 2, end: vocabSize - 1, pad: 0 });
  const { start, end } = special;
  const parts: BpeParts = { vocabulary, kept, names: specialNames, start, end };
  const context: Context = { origin: "text-transformer/bpe", contextLength, truncate, end };
  const encodeText = createFittingEncoder(parts, context);
  const chosen = Object.freeze({ ...options, contextLength, truncate, specialNames });
  return Object.freeze({
    name: options.vocabulary === undefined ? "clip-bpe" : "bpe",
    vocabSize,
    contextLength,
    special,
    encode: (text: string) => {
      const { ids, length } = encodeText(text);
      return Array.from(ids.subarray(0, length));
    },
    encodeBatch: (texts: readonly string[]) => encodeRows(encodeText, texts, contextLength),
    decode: (ids: Iterable<number>) => decodeIds(parts, ids),
    originalIds: kept?.original ?? Int32Array.from({ length: vocabSize }, (_, id) => id),
    toJSON: () => createBpeState(chosen),
    options: chosen,
  });
}

function checkTruncation(truncate: string): void {
  if (truncate === "cut" || truncate === "error") return;
  throw new ConfigError(
    `${origin}: truncate: expected "cut" or "error", got ${JSON.stringify(truncate)}. "cut" keeps the beginning of a long text.`,
  );
}

/** @throws DataError, when called, for a text that does not fit where the context does not cut */
function createFittingEncoder(parts: BpeParts, context: Context): (text: string) => EncodedText {
  const encodeText = createTextEncoder(parts);
  const most = context.truncate === "cut" ? context.contextLength : Number.POSITIVE_INFINITY;
  return (text) => {
    const encoded = encodeText(text, most);
    if (encoded.length > context.contextLength) throw textTooLong(encoded.length, text, context);
    return encoded;
  };
}

/** Straight into the batch's array, which is 0 and so padded; no array per row. */
function encodeRows(
  encodeText: (text: string) => EncodedText,
  texts: readonly string[],
  contextLength: number,
): TokenBatch {
  const batch = texts.length;
  const ids = new Int32Array(batch * contextLength);
  const lengths = new Int32Array(batch);
  for (let row = 0; row < batch; row += 1) {
    const { ids: source, length } = encodeText(texts[row] ?? "");
    const first = row * contextLength;
    for (let at = 0; at < length; at += 1) ids[first + at] = source[at] ?? 0;
    lengths[row] = length;
  }
  return { ids, lengths, batch, contextLength };
}

function decodeIds({ vocabulary, kept, start, end }: BpeParts, ids: Iterable<number>): string {
  const bytes: number[] = [];
  for (const id of ids) {
    if (id === end) break;
    if (id === start) continue;
    const pending = [kept === undefined ? id : (kept.original[id] ?? -1)];
    for (let symbol = pending.pop(); symbol !== undefined; symbol = pending.pop()) {
      const left = vocabulary.left[symbol] ?? -1;
      if (left >= 0) pending.push(vocabulary.right[symbol] ?? -1, left);
      else if (symbol >= 0 && symbol < 512)
        bytes.push(byteOfId[symbol % 256] ?? 0, ...(symbol >= 256 ? [0x20] : []));
      else throw unknownId(id, end);
    }
  }
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes)).trimEnd();
}

function unknownId(id: number, end: number): ConfigError {
  return new ConfigError(
    `text-transformer/bpe: decode: expected ids from 0 to ${String(end)}, got ${String(id)}. Decode with the tokenizer that made the ids.`,
  );
}
