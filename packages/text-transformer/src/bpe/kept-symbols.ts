/**
 * A vocabulary cut to some of its symbols. A word is first encoded with all merges; a symbol that was not kept is then
 * taken apart into the two that it was merged from, down to single bytes, which are always kept. So a text made of kept
 * symbols has the very ids that the whole vocabulary would give (renumbered), and any other text still encodes.
 */
import { ConfigError } from "@diptych/core";
import type { BpeVocabulary } from "./merges.js";

/** The renumbering between a whole vocabulary and what is kept of it. */
export interface KeptSymbols {
  /** Original id of each id in use, ascending, so that the end-of-text id stays the largest (models pool at the largest id). */
  readonly original: Int32Array;
  /** Id in use of each original id, −1 for those dropped. */
  readonly renumbered: Int32Array;
}

/**
 * The symbols in `keep` with the 512 single bytes and the two special ids.
 * @throws ConfigError for an id outside the vocabulary
 */
export function createKeptSymbols(vocabulary: BpeVocabulary, keep: Iterable<number>): KeptSymbols {
  const size = vocabulary.symbols + 2;
  const wanted = new Uint8Array(size).fill(1, 0, 512).fill(1, vocabulary.symbols);
  for (const id of keep) {
    if (!Number.isInteger(id) || id < 0 || id >= size) {
      throw new ConfigError(
        `text-transformer/createBpeTokenizer: keep: expected ids from 0 to ${String(size - 1)}, got ${String(id)}. Make the list with cutVocabulary on the same vocabulary file.`,
      );
    }
    wanted[id] = 1;
  }
  const original = Int32Array.from(
    Array.from({ length: size }, (_, id) => id).filter((id) => wanted[id] === 1),
  );
  const renumbered = new Int32Array(size).fill(-1);
  original.forEach((id, index) => (renumbered[id] = index));
  return Object.freeze({ original, renumbered });
}

/** Renumbers `ids`, dropped symbols taken apart. */
export function keepSymbols(
  vocabulary: BpeVocabulary,
  kept: KeptSymbols,
  ids: readonly number[],
): number[] {
  const result: number[] = [];
  const pending = [...ids].reverse();
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    const renumbered = kept.renumbered[id] ?? -1;
    if (renumbered >= 0) result.push(renumbered);
    else pending.push(vocabulary.right[id] ?? 0, vocabulary.left[id] ?? 0);
  }
  return result;
}
