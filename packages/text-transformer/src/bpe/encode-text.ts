/** One text to ids: cleaned, cut at spaces, each piece looked up or encoded; into one buffer that every text uses again. */
import { cleanText } from "./clean-text.js";
import { encodeWord } from "./encode-word.js";
import { keepSymbols, type KeptSymbols } from "./kept-symbols.js";
import type { BpeVocabulary } from "./merges.js";
import { createWordPattern, type SpecialNames } from "./split-words.js";
import { createWordCache } from "./word-cache.js";

/** What turns words into ids. */
export interface BpeParts {
  readonly vocabulary: BpeVocabulary;
  /** All symbols where undefined. */
  readonly kept: KeptSymbols | undefined;
  readonly names: SpecialNames;
  readonly start: number;
  readonly end: number;
}

/** Ids of the text that was encoded last: the first `length` of `ids`. */
export interface EncodedText {
  ids: Int32Array;
  length: number;
}

const cachedWords = 65_536;
const longestCached = 64;

/**
 * A function that encodes a text as start, words, end, and gives the same buffer each time.
 * A text that spells the end-of-text name ends there, since nothing after it can reach a causal text tower's output.
 * Of a longer text the first `most` ids remain, the last of them replaced by the end, and no more is encoded than that takes.
 */
export function createTextEncoder(parts: BpeParts): (text: string, most: number) => EncodedText {
  const { start, end } = parts;
  const pattern = createWordPattern(parts.names);
  const cache = createWordCache(cachedWords);
  const encoded: EncodedText = { ids: new Int32Array(128), length: 0 };
  const endOnly = [end];

  const idsOf = (run: string): readonly number[] => {
    const known = cache.get(run);
    if (known !== undefined) return known;
    const ids = encodeRun(parts, pattern, run);
    if (run.length <= longestCached) cache.set(run, ids);
    return ids;
  };

  return (text, most) => {
    const cleaned = cleanText(text);
    encoded.ids[0] = start;
    encoded.length = 1;
    let ended = false;
    for (let at = 0; at < cleaned.length && !ended && encoded.length < most;) {
      const space = cleaned.indexOf(" ", at);
      const stop = space < 0 ? cleaned.length : space;
      ended = append(encoded, idsOf(cleaned.slice(at, stop)), end);
      at = stop + 1;
    }
    if (ended && encoded.length <= most) return encoded;
    encoded.length = Math.min(encoded.length, most - 1);
    append(encoded, endOnly, end);
    return encoded;
  };
}

/** Appends `ids` up to and with the first `end`; whether there was one. */
function append(encoded: EncodedText, ids: readonly number[], end: number): boolean {
  const { length } = encoded;
  if (length + ids.length > encoded.ids.length) grow(encoded, length + ids.length);
  const target = encoded.ids;
  for (let at = 0; at < ids.length; at += 1) {
    const id = ids[at] ?? end;
    target[length + at] = id;
    if (id === end) {
      encoded.length = length + at + 1;
      return true;
    }
  }
  encoded.length = length + ids.length;
  return false;
}

function grow(encoded: EncodedText, needed: number): void {
  const larger = new Int32Array(2 * needed);
  larger.set(encoded.ids);
  encoded.ids = larger;
}

const utf8 = new TextEncoder();

/** Ids of what stands between two spaces, which may be several words. */
function encodeRun(parts: BpeParts, pattern: RegExp, run: string): readonly number[] {
  const { vocabulary, kept, names } = parts;
  const ids: number[] = [];
  for (const word of run.match(pattern) ?? []) {
    if (word === names.start) ids.push(parts.start);
    else if (word === names.end) ids.push(parts.end);
    else {
      const symbols = encodeWord(vocabulary, utf8.encode(word));
      for (const id of kept === undefined ? symbols : keepSymbols(vocabulary, kept, symbols))
        ids.push(id);
    }
  }
  return ids;
}
