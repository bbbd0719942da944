/** A byte-pair tokenizer as JSON, small enough to travel in a checkpoint: which merges file, which ids of it, which context. */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { BpeTokenizerOptions } from "./bpe-tokenizer.js";
import { clipVocabularySha256 } from "./vocabulary-file.js";

/** Schema of what a byte-pair tokenizer's `toJSON` gives. */
export const bpeStateSchema = z.strictObject({
  type: z.literal("bpe"),
  version: z.literal(1),
  /** The merges file that the ids belong to. */
  vocabularySha256: z.string().regex(/^[0-9a-f]{64}$/u),
  contextLength: z.int().min(2),
  truncate: z.enum(["cut", "error"]),
  specialNames: z.strictObject({ start: z.string(), end: z.string() }),
  /** Ids kept of the whole vocabulary, or null for all. */
  keep: z.array(z.int().nonnegative()).nullable(),
});

/** What a byte-pair tokenizer's `toJSON` gives. */
export type BpeTokenizerState = z.infer<typeof bpeStateSchema>;

/** The state of a tokenizer made with `options`. */
export function createBpeState(
  options: Required<Pick<BpeTokenizerOptions, "contextLength" | "truncate" | "specialNames">> &
    BpeTokenizerOptions,
): BpeTokenizerState {
  return {
    type: "bpe",
    version: 1,
    vocabularySha256:
      options.vocabulary === undefined ? clipVocabularySha256 : hashVocabulary(options.vocabulary),
    contextLength: options.contextLength,
    truncate: options.truncate,
    specialNames: { ...options.specialNames },
    keep: options.keep === undefined ? null : [...options.keep],
  };
}

/** sha256 of a merges file's bytes, in hexadecimal. */
export function hashVocabulary(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
