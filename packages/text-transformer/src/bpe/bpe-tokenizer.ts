/**
 * CLIP's byte-pair tokenizer. Ids equal those of open_clip's SimpleTokenizer, the repair of broken text by ftfy included.
 * Source: Radford et al. 2021 (arXiv 2103.00020), section 2.4; openai/CLIP simple_tokenizer.py.
 */
import { ConfigError, type Tokenizer } from "@diptych/core";
import { createBpeState, type BpeTokenizerState } from "./bpe-state.js";
import { byteOfId } from "./byte-order.js";
import { cleanText } from "./clean-text.js";
import { encodeWord } from "./encode-word.js";
import {
  checkContextLength,
  fitContext,
  padRows,
  type Context,
  type Truncation,
} from "./fit-context.js";
import { createKeptSymbols, keepSymbols, type KeptSymbols } from "./kept-symbols.js";
import type { BpeVocabulary } from "./merges.js";
import { createWordPattern, openClipSpecialNames, type SpecialNames } from "./split-words.js";
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

interface Parts {
  readonly vocabulary: BpeVocabulary;
  readonly kept: KeptSymbols | undefined;
  readonly names: SpecialNames;
  readonly start: number;
  readonly end: number;
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
  const parts: Parts = {
    vocabulary,
    kept,
    names: specialNames,
    start: special.start,
    end: special.end,
  };
  const context: Context = {
    origin: "text-transformer/bpe",
    contextLength,
    truncate,
    end: special.end,
  };
  const wordsToIds = createTextEncoder(parts);
  const encode = (text: string): number[] =>
    fitContext(endText(wordsToIds(text), special), text, context);
  const chosen = Object.freeze({ ...options, contextLength, truncate, specialNames });
  return Object.freeze({
    name: options.vocabulary === undefined ? "clip-bpe" : "bpe",
    vocabSize,
    contextLength,
    special,
    encode,
    encodeBatch: (texts: readonly string[]) =>
      padRows(texts.map(encode), contextLength, special.pad),
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

function endText(words: number[], { start, end }: { start: number; end: number }): number[] {
  const stop = words.indexOf(end);
  return [start, ...(stop < 0 ? words : words.slice(0, stop)), end];
}

/** Words repeat, so ids are remembered per run between spaces; bounded, since a service meets new ones for ever. */
const cacheEntries = 65_536;
const longestCached = 64;

function createTextEncoder(parts: Parts): (text: string) => number[] {
  const pattern = createWordPattern(parts.names);
  const cache = new Map<string, readonly number[]>();
  return (text) => {
    const ids: number[] = [];
    for (const run of cleanText(text).split(" ")) {
      let found = cache.get(run);
      if (found === undefined) {
        found = encodeRun(parts, pattern, run);
        if (cache.size >= cacheEntries) cache.clear();
        if (run.length <= longestCached) cache.set(run, found);
      }
      for (const id of found) ids.push(id);
    }
    return ids;
  };
}

const utf8 = new TextEncoder();

function encodeRun(parts: Parts, pattern: RegExp, run: string): readonly number[] {
  const { vocabulary, kept, names } = parts;
  const ids: number[] = [];
  for (const word of run.match(pattern) ?? []) {
    if (word === names.start) ids.push(parts.start);
    else if (word === names.end) ids.push(parts.end);
    else {
      const symbols = encodeWord(vocabulary, utf8.encode(word));
      for (const id of kept === undefined ? symbols : keepSymbols(vocabulary, kept, symbols))
        ids.push(id);
    }
  }
  return ids;
}

function decodeIds({ vocabulary, kept, start, end }: Parts, ids: Iterable<number>): string {
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
