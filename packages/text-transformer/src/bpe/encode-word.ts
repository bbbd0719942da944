/**
 * Byte-pair encoding of one word: its bytes, the most frequent pair merged wherever it stands, again until no pair is known.
 * Time is linear in the word for each distinct merge, so that a megabyte without a space does not stall.
 * Source: Sennrich et al. 2016 (arXiv 1508.07909), algorithm 1, on bytes as in GPT-2.
 */
import { idOfByte } from "./byte-order.js";
import type { BpeVocabulary } from "./merges.js";
import { noRank, pairRank } from "./pair-table.js";

/** Symbol ids of a word given as UTF-8 bytes (at least one). */
export function encodeWord(vocabulary: BpeVocabulary, bytes: Uint8Array): number[] {
  const ids = Int32Array.from(bytes, (byte) => idOfByte[byte] ?? 0);
  let length = ids.length;
  ids[length - 1] = (ids[length - 1] ?? 0) + 256;
  const ranks = new Int32Array(length);
  for (let at = 0; at < length - 1; at += 1)
    ranks[at] = pairRank(vocabulary.pairs, ids[at] ?? -1, ids[at + 1] ?? -1);
  while (length > 1) {
    const best = lowestRank(ranks, length - 1);
    if (best === noRank) break;
    const merged = vocabulary.merged[best] ?? -1;
    length = mergeEverywhere(ids, ranks, { length, best, merged });
    refreshRanks(vocabulary, ids, ranks, { length, merged });
  }
  return Array.from(ids.subarray(0, length));
}

function lowestRank(ranks: Int32Array, count: number): number {
  let best = noRank;
  for (let at = 0; at < count; at += 1) {
    const rank = ranks[at] ?? noRank;
    if (rank < best) best = rank;
  }
  return best;
}

/** Replaces each pair of rank `best` from left to right, in place; returns the new length. Equal ranks are equal pairs. */
function mergeEverywhere(
  ids: Int32Array,
  ranks: Int32Array,
  { length, best, merged }: { length: number; best: number; merged: number },
): number {
  let to = 0;
  for (let from = 0; from < length; to += 1) {
    const joins = from < length - 1 && ranks[from] === best;
    ids[to] = joins ? merged : (ids[from] ?? -1);
    ranks[to] = ranks[from] ?? noRank;
    from += joins ? 2 : 1;
  }
  return to;
}

/** Looks up the pairs that a merge has touched; the others keep their ranks. */
function refreshRanks(
  vocabulary: BpeVocabulary,
  ids: Int32Array,
  ranks: Int32Array,
  { length, merged }: { length: number; merged: number },
): void {
  for (let at = 0; at < length - 1; at += 1) {
    const left = ids[at] ?? -1;
    const right = ids[at + 1] ?? -1;
    if (left === merged || right === merged) ranks[at] = pairRank(vocabulary.pairs, left, right);
  }
}
