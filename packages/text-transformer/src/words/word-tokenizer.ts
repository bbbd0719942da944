/**
 * A tokenizer of whole words, for the bag-of-words text tower: no start or end, 0 pads, order kept though the tower ignores it.
 */
import { ConfigError, type Tokenizer } from "@diptych/core";
import {
  checkContextLength,
  fitContext,
  padRows,
  type Context,
  type Truncation,
} from "../bpe/fit-context.js";
import { createNearestWords, findNearestWord } from "./nearest-word.js";
import { hashText, trigrams } from "./trigrams.js";
import type { WordTokenizerState } from "./word-state.js";
import { splitWords, type WordVocabulary } from "./word-vocabulary.js";

const origin = "text-transformer/createWordTokenizer";

/**
 * What an unknown word becomes. "nearest": the known word most like it in spelling, or nothing. "drop": nothing.
 * "hash-buckets": ids of its hashed character trigrams, whose embeddings learn from the words that `minCount` left out of
 * the vocabulary (so they need a `minCount` above 1 to mean anything).
 */
export type UnknownWords = "nearest" | "drop" | "hash-buckets";

/** Choices of `createWordTokenizer`. */
export interface WordTokenizerOptions {
  readonly vocabulary: WordVocabulary;
  /** Ids per row; 77 by default. */
  readonly contextLength?: number;
  /** "error" by default; "cut" keeps the beginning of a longer text. */
  readonly truncate?: Truncation;
  /** "nearest" by default. */
  readonly unknown?: UnknownWords;
  /** Number of trigram buckets with "hash-buckets"; 2,048 by default. */
  readonly buckets?: number;
}

/** A word tokenizer; immutable but for a cache of unknown words. */
export interface WordTokenizer extends Tokenizer {
  readonly special: { readonly pad: number };
  toJSON(): WordTokenizerState;
  /** What it was made with, defaults filled in. */
  readonly options: Required<WordTokenizerOptions>;
}

/**
 * Makes a tokenizer of the words in `vocabulary`: ids 1 … words, then the buckets. A text without known words encodes to
 * no ids (length 0).
 * @throws ConfigError for an empty or repetitive vocabulary or a context below 1; `encode` and `encodeBatch` throw
 *   DataError for a text longer than the context unless `truncate` is "cut"
 * @example
 * createWordTokenizer({ vocabulary: { words: ["cat", "red"] } }).encode("A RED cat!"); // [2, 1]
 */
export function createWordTokenizer(options: WordTokenizerOptions): WordTokenizer {
  const { contextLength = 77, truncate = "error", unknown = "nearest", buckets = 2048 } = options;
  checkContextLength(origin, contextLength, 1);
  checkChoice("truncate", truncate, ["cut", "error"]);
  checkChoice("unknown", unknown, ["nearest", "drop", "hash-buckets"]);
  if (!Number.isInteger(buckets) || buckets < 1) {
    throw new ConfigError(
      `${origin}: buckets: expected a whole number of at least 1, got ${String(buckets)}. Leave it out for 2,048.`,
    );
  }
  const words = Object.freeze([...options.vocabulary.words]);
  const ids = indexWords(words);
  const idsOfUnknown = createUnknownWords(words, unknown, buckets);
  const context: Context = { origin: "text-transformer/words", contextLength, truncate };
  const encode = (text: string): number[] => {
    const found = splitWords(text).flatMap((word) => ids.get(word) ?? idsOfUnknown(word));
    return fitContext(found, text, context);
  };
  return Object.freeze({
    name: "words",
    vocabSize: 1 + words.length + (unknown === "hash-buckets" ? buckets : 0),
    contextLength,
    special: Object.freeze({ pad: 0 }),
    encode,
    encodeBatch: (texts: readonly string[]) => padRows(texts.map(encode), contextLength, 0),
    decode: (all: Iterable<number>) => decodeWords(words, all),
    toJSON: (): WordTokenizerState => ({
      type: "words",
      version: 1,
      contextLength,
      truncate,
      unknown,
      buckets,
      words: [...words],
    }),
    options: Object.freeze({
      vocabulary: Object.freeze({ words }),
      contextLength,
      truncate,
      unknown,
      buckets,
    }),
  });
}

function checkChoice(name: string, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return;
  throw new ConfigError(
    `${origin}: ${name}: expected one of ${choices.join(", ")}, got ${JSON.stringify(value)}. Leave it out for the default.`,
  );
}

function indexWords(words: readonly string[]): ReadonlyMap<string, number> {
  const ids = new Map(words.map((word, position) => [word, position + 1]));
  if (words.length === 0 || ids.size !== words.length) {
    throw new ConfigError(
      `${origin}: vocabulary: expected at least one word, each once, got ${String(words.length)} words of which ${String(ids.size)} differ. Build it with buildWordVocabulary.`,
    );
  }
  return ids;
}

/** Unknown words remembered at most; a service meets new ones for ever. */
const cacheEntries = 16_384;

function createUnknownWords(
  words: readonly string[],
  unknown: UnknownWords,
  buckets: number,
): (word: string) => readonly number[] {
  if (unknown === "drop") return () => [];
  if (unknown === "hash-buckets") {
    const first = words.length + 1;
    return (word) => trigrams(word).map((gram) => first + (hashText(gram) % buckets));
  }
  const known = createNearestWords(words);
  const cache = new Map<string, readonly number[]>();
  return (word) => {
    const remembered = cache.get(word);
    if (remembered !== undefined) return remembered;
    const position = findNearestWord(known, word);
    const ids = position === undefined ? [] : [position + 1];
    if (cache.size >= cacheEntries) cache.clear();
    cache.set(word, ids);
    return ids;
  };
}

/** Known words with spaces between; padding is left out, a bucket reads "…", since a hash cannot be undone. */
function decodeWords(words: readonly string[], ids: Iterable<number>): string {
  const parts: string[] = [];
  for (const id of ids) if (id > 0) parts.push(words[id - 1] ?? "…");
  return parts.join(" ");
}
