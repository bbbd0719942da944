/**
 * Byte-pair encoding of one word: its bytes, the most frequent pair merged wherever it stands, again until no pair is known.
 * Time is linear in the word for each distinct merge, so that a megabyte without a space does not stall.
 * Source: Sennrich et al. 2016 (arXiv 1508.07909), algorithm 1, on bytes as in GPT-2.
 */
import { idOfByte } from "./byte-order.js";
import type { BpeVocabulary } from "./merges.js";
import { noRank, pairRank } from "./pair-table.js";

/** A word in the making: the first `length` of `ids`; `ranks` of each with its right neighbour, `best` the lowest of them. */
interface Word {
  ids: Int32Array;
  ranks: Int32Array;
  length: number;
  best: number;
}

/** Used for every word that fits: allocation would cost as much as a short word's merges. */
const shortWord: Word = createWord(256);

/** Symbol ids of a word given as UTF-8 bytes (at least one). */
export function encodeWord(vocabulary: BpeVocabulary, bytes: Uint8Array): number[] {
  const word = bytes.length <= shortWord.ids.length ? shortWord : createWord(bytes.length);
  readBytes(vocabulary, word, bytes);
  while (word.best !== noRank) mergeBest(vocabulary, word);
  const ids: number[] = [];
  for (let at = 0; at < word.length; at += 1) ids.push(word.ids[at] ?? 0);
  return ids;
}

function createWord(length: number): Word {
  return { ids: new Int32Array(length), ranks: new Int32Array(length), length: 0, best: noRank };
}

function readBytes({ pairs }: BpeVocabulary, word: Word, bytes: Uint8Array): void {
  const { ids, ranks } = word;
  const last = bytes.length - 1;
  let best = noRank;
  ids[0] = idOfByte[bytes[0] ?? 0] ?? 0;
  for (let at = 1; at <= last; at += 1) {
    const id = (idOfByte[bytes[at] ?? 0] ?? 0) + (at === last ? 256 : 0);
    const rank = pairRank(pairs, ids[at - 1] ?? 0, id);
    ids[at] = id;
    ranks[at - 1] = rank;
    if (rank < best) best = rank;
  }
  if (last === 0) ids[0] += 256;
  ranks[last] = noRank;
  word.length = bytes.length;
  word.best = best;
}

/** Merges each pair of the best rank from left to right, in place, and finds the next best. Equal ranks are equal pairs. */
function mergeBest({ pairs, merged: mergedIds }: BpeVocabulary, word: Word): void {
  const { ids, ranks, length, best } = word;
  const merged = mergedIds[best] ?? 0;
  let next = noRank;
  let previous = -1;
  let to = 0;
  for (let from = 0; from < length; to += 1) {
    const joins = ranks[from] === best;
    const id = joins ? merged : (ids[from] ?? 0);
    from += joins ? 2 : 1;
    if (to > 0) {
      // Pairs that the merge has not touched keep their ranks.
      const touched = id === merged || previous === merged;
      const rank = touched ? pairRank(pairs, previous, id) : (ranks[to - 1] ?? noRank);
      ranks[to - 1] = rank;
      if (rank < next) next = rank;
    }
    ids[to] = id;
    ranks[to] = ranks[from - 1] ?? noRank;
    previous = id;
  }
  word.length = to;
  word.best = next;
}
