/**
 * A byte-pair vocabulary read from a merges file (one header line, then "left right" per line, in order of rank).
 * Ids as in CLIP: 256 bytes, the same 256 at the end of a word, one per merge; the two special ids follow.
 */
import { DataError } from "@diptych/core";
import { characterOfId } from "./byte-order.js";
import { createPairTable, setPairRank, type PairTable } from "./pair-table.js";

/** How many merges CLIP uses of its file: 49,408 ids less two special and 512 single bytes. */
export const clipMerges = 49_152 - 256 - 2;

/** What a merges file writes after the last character of a word. */
export const endOfWord = "</w>";

/** Symbols and merges of a tokenizer; special ids are `symbols` (start) and `symbols + 1` (end). */
export interface BpeVocabulary {
  /** Number of byte and merge symbols. */
  readonly symbols: number;
  readonly pairs: PairTable;
  /** Id that the merge of each rank gives. */
  readonly merged: Int32Array;
  /** The two symbols that each merged id consists of (−1 for single bytes). */
  readonly left: Int32Array;
  readonly right: Int32Array;
}

/**
 * Reads a merges file's text; at most `limit` merges, blank lines at the end ignored.
 * @throws DataError for a line that is not a pair of symbols that the file knows
 */
export function parseMerges(text: string, limit: number = clipMerges): BpeVocabulary {
  const lines = mergeLines(text, limit);
  const names = new Map<string, number>();
  characterOfId.forEach((character, id) =>
    names.set(character, id).set(character + endOfWord, id + 256),
  );
  const first = 512;
  const split = lines.map((line, rank) => splitMerge(line, rank));
  // Two merges may spell the same symbol; the later id is the one in use, as in the original's dictionary.
  split.forEach(([left, right], rank) => names.set(left + right, first + rank));

  const pairs = createPairTable(split.length);
  const symbols = first + split.length;
  const vocabulary: BpeVocabulary = {
    symbols,
    pairs,
    merged: new Int32Array(split.length),
    left: new Int32Array(symbols).fill(-1),
    right: new Int32Array(symbols).fill(-1),
  };
  split.forEach(([leftName, rightName], rank) => {
    const left = names.get(leftName);
    const right = names.get(rightName);
    if (left === undefined || right === undefined)
      throw unknownSymbol(left === undefined ? leftName : rightName, rank);
    const id = names.get(leftName + rightName) ?? first + rank;
    setPairRank(pairs, [left, right], rank);
    vocabulary.merged[rank] = id;
    vocabulary.left[first + rank] = left;
    vocabulary.right[first + rank] = right;
  });
  return Object.freeze(vocabulary);
}

function mergeLines(text: string, limit: number): string[] {
  const start = text.indexOf("\n") + 1;
  if (start === 0) {
    throw new DataError(
      `text-transformer/bpe: vocabulary file: expected a header line and merges, got ${String(text.length)} characters without a line break. Pass the bytes of a merges file such as bpe_simple_vocab_16e6.txt.gz.`,
    );
  }
  const lines: string[] = [];
  // Only the wanted lines are cut out: CLIP's file is five times longer.
  for (let at = start; at < text.length && lines.length < limit;) {
    const next = text.indexOf("\n", at);
    const stop = next < 0 ? text.length : next;
    lines.push(text.slice(at, stop));
    at = stop + 1;
  }
  while (lines.length > 0 && (lines.at(-1) ?? "").trim() === "") lines.pop();
  return lines;
}

function splitMerge(line: string, rank: number): readonly [string, string] {
  const pair = line.endsWith("\r") ? line.slice(0, -1) : line;
  const space = pair.indexOf(" ");
  if (space < 1 || space === pair.length - 1 || pair.includes(" ", space + 1)) {
    throw new DataError(
      `text-transformer/bpe: vocabulary file: expected two symbols with a space between, got ${JSON.stringify(line.slice(0, 60))} (line ${String(rank + 2)}). The file is damaged or is not a merges file.`,
    );
  }
  return [pair.slice(0, space), pair.slice(space + 1)];
}

function unknownSymbol(name: string, rank: number): DataError {
  return new DataError(
    `text-transformer/bpe: vocabulary file: expected symbols made by other merges, got ${JSON.stringify(name)} (line ${String(rank + 2)}). The file is damaged or is not a merges file.`,
  );
}
