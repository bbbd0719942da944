/** Character trigrams of a word, which are what an unknown word has in common with known ones. */

/** Trigrams of `word` with its ends marked: "cat" → "^ca", "cat", "at$". By characters, not code units. */
export function trigrams(word: string): string[] {
  const characters = ["^", ...word, "$"];
  return characters
    .slice(2)
    .map((last, index) => `${characters[index] ?? ""}${characters[index + 1] ?? ""}${last}`);
}

/** FNV-1a (32 bit) of the UTF-8 bytes of `text`: the same on every machine, so buckets can be stored in checkpoints. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of utf8.encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

const utf8 = new TextEncoder();
