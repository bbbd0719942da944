/** Configurations of the tokenizers, and how a run makes one: from the captions that it trains on, or as it was saved. */
import type { Tokenizer } from "@diptych/core";
import { partConstructor, type PluginKinds } from "@diptych/core/plugin";
import { z } from "zod";
import { createBpeTokenizer, createBpeTokenizerFromJson, cutVocabulary } from "./bpe/index.js";
import {
  buildWordVocabulary,
  createWordTokenizer,
  createWordTokenizerFromJson,
} from "./words/index.js";

const positiveInteger = z.int().min(1);
const truncate = z.enum(["error", "cut"]).default("error");

export const bpeSchema = z.strictObject({
  /** Ids per text, start and end included. */
  contextLength: z.int().min(2).default(77),
  /** `error` refuses longer texts (OpenAI's CLIP); `cut` keeps their beginning (open_clip). */
  truncate,
  /** `clip`: all 49,408 ids; `used`: those of the training captions, so that a small model has no idle rows. */
  vocabulary: z.enum(["clip", "used"]).default("clip"),
  /** With `used`: how often a symbol must occur to be kept. */
  minCount: positiveInteger.default(1),
});

export const wordsSchema = z.strictObject({
  /** Words per text. */
  contextLength: positiveInteger.default(77),
  truncate,
  /** How often a word must occur in the training captions to be kept. */
  minCount: positiveInteger.default(1),
  maxWords: positiveInteger.optional(),
  /** What an unknown word becomes: the nearest known one by spelling, nothing, or hashed trigrams. */
  unknown: z.enum(["nearest", "drop", "hash-buckets"]).default("nearest"),
  buckets: positiveInteger.default(2048),
});

/** The byte-pair tokenizer in a configuration. */
export const bpe = partConstructor("bpe", bpeSchema);

/** The word tokenizer in a configuration. */
export const words = partConstructor("words", wordsSchema);

type Dependencies = PluginKinds["tokenizer"]["dependencies"];

/** The byte-pair tokenizer of a run. @throws DataError where captions hold no symbol, ConfigError on another's state. */
export function createConfiguredBpe(
  { contextLength, truncate: onLong, vocabulary, minCount }: z.output<typeof bpeSchema>,
  { captions, state }: Dependencies,
): Tokenizer {
  if (state) return createBpeTokenizerFromJson(state);
  const whole = createBpeTokenizer({ contextLength, truncate: onLong });
  return vocabulary === "clip" ? whole : cutVocabulary(whole, captions(), { minCount });
}

/** The word tokenizer of a run. @throws DataError where captions hold no word, ConfigError on another's state. */
export function createConfiguredWords(
  {
    contextLength,
    truncate: onLong,
    minCount,
    maxWords,
    unknown,
    buckets,
  }: z.output<typeof wordsSchema>,
  { captions, state }: Dependencies,
): Tokenizer {
  if (state) return createWordTokenizerFromJson(state);
  const vocabulary = buildWordVocabulary(captions(), {
    minCount,
    ...(maxWords === undefined ? {} : { maxWords }),
  });
  return createWordTokenizer({ vocabulary, contextLength, truncate: onLong, unknown, buckets });
}
