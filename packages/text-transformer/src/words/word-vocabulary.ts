/** Words of a text, and the vocabulary of a corpus, for towers that embed whole words. */
import { ConfigError, DataError } from "@diptych/core";

// Chinese characters stand alone, since their scripts have no spaces; marks belong to their letters (Thai, Arabic).
const word = /\p{Script=Han}|(?:(?!\p{Script=Han})[\p{L}\p{N}\p{M}])+/gu;

/** Words of `text`: compatibility forms unified (NFKC), lower case, split at whatever is not a letter, mark or number. */
export function splitWords(text: string): string[] {
  return text.normalize("NFKC").toLowerCase().match(word) ?? [];
}

/** Words that a tokenizer knows; ids are positions + 1 (0 is padding). */
export interface WordVocabulary {
  readonly words: readonly string[];
}

/**
 * The words that occur at least `minCount` times (1 by default) in `corpus`, at most `maxWords`,
 * most frequent first, equals in code-point order, so that equal corpora give equal ids in any order of their texts.
 * @throws ConfigError for a count below 1; DataError if no word is left
 */
export function buildWordVocabulary(
  corpus: Iterable<string>,
  {
    minCount = 1,
    maxWords = Number.MAX_SAFE_INTEGER,
  }: { readonly minCount?: number; readonly maxWords?: number } = {},
): WordVocabulary {
  checkCount("minCount", minCount);
  checkCount("maxWords", maxWords);
  const counts = new Map<string, number>();
  for (const text of corpus) {
    for (const found of splitWords(text)) counts.set(found, (counts.get(found) ?? 0) + 1);
  }
  const frequent = [...counts].filter(([, count]) => count >= minCount);
  if (frequent.length === 0) {
    throw new DataError(
      `text-transformer/buildWordVocabulary: corpus: expected a word that occurs at least ${String(minCount)} times, got none (${String(counts.size)} different words). Check that the corpus has captions, or lower minCount.`,
    );
  }
  frequent.sort(([wordA, countA], [wordB, countB]) => countB - countA || (wordA < wordB ? -1 : 1));
  return Object.freeze({
    words: Object.freeze(frequent.slice(0, maxWords).map(([found]) => found)),
  });
}

function checkCount(name: string, count: number): void {
  if (Number.isInteger(count) && count >= 1) return;
  throw new ConfigError(
    `text-transformer/buildWordVocabulary: ${name}: expected a whole number of at least 1, got ${String(count)}. Leave it out for the default.`,
  );
}
