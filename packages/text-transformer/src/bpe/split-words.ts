/**
 * CLIP's division of cleaned text into the words that are encoded one by one: English contractions, runs of letters,
 * single digits, runs of anything else, and the names of the special ids, which become those ids.
 * Source: the pattern of openai/CLIP's simple_tokenizer.py. Two habits of Python's `regex` under IGNORECASE are kept:
 * "ſ" counts as "s" in the names and contractions, and U+0345 (whose capital is a letter) belongs to no class and is dropped.
 */
import { ConfigError } from "@diptych/core";

/** How the special ids are written in a text. */
export interface SpecialNames {
  readonly start: string;
  readonly end: string;
}

/** open_clip's names; openai/CLIP writes `<|startoftext|>` and `<|endoftext|>`. */
export const openClipSpecialNames: SpecialNames = Object.freeze({
  start: "<start_of_text>",
  end: "<end_of_text>",
});

/**
 * The pattern whose global matches in a cleaned text without spaces are its words.
 * @throws ConfigError for a name that cleaned text cannot contain
 */
export function createWordPattern(names: SpecialNames): RegExp {
  const specials = [names.start, names.end].map((name) => {
    if (name === "" || name !== name.toLowerCase() || /\s/u.test(name)) {
      throw new ConfigError(
        `text-transformer/createBpeTokenizer: specialNames: expected lower-case names without white space, got ${JSON.stringify(name)}. Text is lower-cased before the names are looked for.`,
      );
    }
    return name.replace(/[\\^$.*+?()[\]{}|/-]/gu, "\\$&").replaceAll("s", "[sſ]");
  });
  return new RegExp(
    `${specials.join("|")}|'[sſ]|'t|'re|'ve|'m|'ll|'d|\\p{L}+|\\p{N}|[^\\u0345\\p{L}\\p{N}]+`,
    "gu",
  );
}
