/** A word tokenizer made again from its JSON. */
import { ConfigError } from "@diptych/core";
import { wordStateSchema } from "./word-state.js";
import { createWordTokenizer, type WordTokenizer } from "./word-tokenizer.js";

/**
 * The tokenizer whose `toJSON` gave `json`.
 * @throws ConfigError if `json` is something else
 */
export function createWordTokenizerFromJson(json: unknown): WordTokenizer {
  const parsed = wordStateSchema.safeParse(json);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => ({
      path: issue.path.join("."),
      message: issue.message,
    }));
    const list = problems.map(({ path, message }) => `${path || "(root)"}: ${message}`).join("; ");
    throw new ConfigError(
      `text-transformer/createWordTokenizerFromJson: json: expected what a word tokenizer's toJSON gives, got a misfit (${list}). Save the tokenizer again.`,
      problems,
    );
  }
  const { words, contextLength, truncate, unknown, buckets } = parsed.data;
  return createWordTokenizer({ vocabulary: { words }, contextLength, truncate, unknown, buckets });
}
