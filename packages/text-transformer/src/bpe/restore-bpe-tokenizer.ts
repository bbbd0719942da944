/** A byte-pair tokenizer made again from its JSON. */
import { ConfigError, DataError } from "@diptych/core";
import { bpeStateSchema, hashVocabulary } from "./bpe-state.js";
import { createBpeTokenizer, type BpeTokenizer } from "./bpe-tokenizer.js";
import { clipVocabularySha256 } from "./vocabulary-file.js";

const origin = "text-transformer/createBpeTokenizerFromJson";

/**
 * The tokenizer whose `toJSON` gave `json`.
 * @param options.vocabulary bytes of the merges file, needed only when it is not CLIP's
 * @throws ConfigError if `json` is something else; DataError if the merges file is missing or another one
 */
export function createBpeTokenizerFromJson(
  json: unknown,
  { vocabulary }: { readonly vocabulary?: Uint8Array } = {},
): BpeTokenizer {
  const parsed = bpeStateSchema.safeParse(json);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => ({
      path: issue.path.join("."),
      message: issue.message,
    }));
    const list = problems.map(({ path, message }) => `${path || "(root)"}: ${message}`).join("; ");
    throw new ConfigError(
      `${origin}: json: expected what a byte-pair tokenizer's toJSON gives, got a misfit (${list}). Save the tokenizer again.`,
      problems,
    );
  }
  const { vocabularySha256, contextLength, truncate, specialNames, keep } = parsed.data;
  const shared = { contextLength, truncate, specialNames, ...(keep === null ? {} : { keep }) };
  if (vocabularySha256 === clipVocabularySha256) return createBpeTokenizer(shared);
  if (vocabulary === undefined || hashVocabulary(vocabulary) !== vocabularySha256) {
    const given = vocabulary === undefined ? "none" : hashVocabulary(vocabulary);
    throw new DataError(
      `${origin}: vocabulary: expected the merges file with sha256 ${vocabularySha256}, got ${given}. Pass its bytes as vocabulary.`,
    );
  }
  return createBpeTokenizer({ ...shared, vocabulary });
}
