/**
 * A bounded memory of what words became, in two generations: what was asked for since the last turn stays when the older
 * half goes, so that a service that meets new words for ever neither grows nor forgets the common ones.
 */

/** From a word to its ids. */
export interface WordCache {
  get(word: string): readonly number[] | undefined;
  set(word: string, ids: readonly number[]): void;
}

/** A cut of at least this length keeps V8 holding the whole text that it was cut from. */
const shortestSlice = 13;

const utf8 = new TextEncoder();
const utf16 = new TextDecoder("utf-8", { ignoreBOM: true });

/** A cache of at most `capacity` words (of well-formed text). */
export function createWordCache(capacity: number): WordCache {
  let recent = new Map<string, readonly number[]>();
  let older: ReadonlyMap<string, readonly number[]> = new Map();
  const put = (word: string, ids: readonly number[]): void => {
    if (recent.size >= capacity / 2) {
      older = recent;
      recent = new Map();
    }
    recent.set(word, ids);
  };
  return {
    get: (word) => {
      const found = recent.get(word);
      if (found !== undefined) return found;
      const old = older.get(word);
      if (old !== undefined) put(word, old);
      return old;
    },
    set: (word, ids) => {
      put(word.length < shortestSlice ? word : utf16.decode(utf8.encode(word)), ids);
    },
  };
}
