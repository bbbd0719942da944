import { describe, expect, test } from "vitest";
import { idOfByte } from "./byte-order.js";
import { encodeWord } from "./encode-word.js";
import type { BpeVocabulary } from "./merges.js";
import { noRank, pairRank } from "./pair-table.js";
import { loadClipVocabulary } from "./vocabulary-file.js";

const utf8 = new TextEncoder();

/** The published algorithm written plainly: find the lowest pair, merge it wherever it stands, again. */
function encodePlainly(vocabulary: BpeVocabulary, bytes: Uint8Array): number[] {
  let word = Array.from(
    bytes,
    (byte, at) => (idOfByte[byte] ?? 0) + (at === bytes.length - 1 ? 256 : 0),
  );
  for (;;) {
    const ranks = word
      .slice(1)
      .map((right, at) => pairRank(vocabulary.pairs, word[at] ?? -1, right));
    const best = Math.min(noRank, ...ranks);
    if (best === noRank) return word;
    const next: number[] = [];
    for (let at = 0; at < word.length; at += 1) {
      if (ranks[at] === best) {
        next.push(vocabulary.merged[best] ?? -1);
        at += 1;
      } else next.push(word[at] ?? -1);
    }
    word = next;
  }
}

function* randomWords(count: number): Generator<Uint8Array> {
  let state = 12345;
  const next = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const alphabets = ["aab", "etaoinshrdlu", "abcdefghijklmnopqrstuvwxyz", "é😀字ก"];
  for (let index = 0; index < count; index += 1) {
    const alphabet = [...(alphabets[index % alphabets.length] ?? "a")];
    const length = 1 + next(30);
    const word = Array.from({ length }, () => alphabet[next(alphabet.length)] ?? "a").join("");
    yield utf8.encode(word);
  }
}

describe("encodeWord", () => {
  const vocabulary = loadClipVocabulary();

  test("agrees with the plain algorithm", () => {
    for (const word of randomWords(2000))
      expect(encodeWord(vocabulary, word)).toEqual(encodePlainly(vocabulary, word));
  });

  test("encodes every single byte, at the end of a word and before it", () => {
    for (let byte = 0; byte < 256; byte += 1) {
      expect(encodeWord(vocabulary, Uint8Array.of(byte))).toEqual([(idOfByte[byte] ?? -1) + 256]);
    }
  });

  test("a very long word does not stall", () => {
    const started = performance.now();
    const ids = encodeWord(vocabulary, utf8.encode("a".repeat(1_000_000)));
    expect(ids.length).toBeGreaterThan(1000);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
