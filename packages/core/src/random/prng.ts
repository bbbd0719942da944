/** The generator behind every random value: Threefry in counter mode. State is a key and a position, nothing else. */
import { ConfigError, ShapeError } from "../errors.js";
import type { Random } from "./prng-contract.js";
import { deriveKey, threefry2x32, type Key } from "./threefry.js";

const TWO_32 = 2 ** 32;
const TWO_53 = 2 ** 53;

/**
 * A generator of the stream that `seed` names.
 *
 * Numbers and bigints (modulo 2⁶⁴) are the key themselves, low word first, so that other implementations of
 * Threefry-2x32-20 give the same words; 7 and 7n are one seed. A text is hashed, and "7" is another seed than 7.
 * Words come from the counter 0, 1, 2, …, two each. `next` and `integer` above 2³² use two words, `normal` four.
 *
 * @throws ConfigError on a number that is no safe integer.
 * @example
 * const random = createRandom(42);
 * const shuffled = random.split("order").split(epoch).permutation(1000);
 */
export function createRandom(seed: number | bigint | string): Random {
  return streamOf(seedKey(seed));
}

function seedKey(seed: number | bigint | string): Key {
  if (typeof seed === "string") return deriveKey([0, 0], seed);
  if (typeof seed === "number" && !Number.isSafeInteger(seed)) {
    throw new ConfigError(
      `core/createRandom: seed: expected an integer below 2^53, a bigint or a text, got ${seed}. Round it.`,
    );
  }
  const bits = BigInt.asUintN(64, BigInt(seed));
  return [Number(bits & 0xffffffffn), Number(bits >> 32n)];
}

/** The words of one key, in order. */
interface WordStream {
  /** The next word. */
  readonly word: () => number;
  /** Calls `use` with the next `count` pairs of words: faster than one by one. */
  readonly pairs: (count: number, use: (first: number, second: number, i: number) => void) => void;
}

function wordsOf(key: Key): WordStream {
  const block = new Uint32Array(2);
  let position = 0;
  const encrypt = (index: number): void =>
    threefry2x32(key, index >>> 0, Math.floor(index / TWO_32), block);
  const word = (): number => {
    if (position % 2 === 0) encrypt(position / 2);
    return block[position++ % 2]!;
  };
  const pairs = (count: number, use: (first: number, second: number, i: number) => void): void => {
    for (let i = 0; i < count; i++) {
      if (position % 2 === 1) use(word(), word(), i);
      else {
        encrypt(position / 2);
        position += 2;
        use(block[0]!, block[1]!, i);
      }
    }
  };
  return { word, pairs };
}

function streamOf(key: Key): Random {
  const words = wordsOf(key);
  const bits53 = (): number => (words.word() >>> 5) * 2 ** 26 + (words.word() >>> 6);
  const next = (): number => bits53() / TWO_53;
  const integer = (below: number): number => drawInteger(below, words.word, bits53);
  return Object.freeze({
    split: (name: string | number) => streamOf(deriveKey(key, String(name))),
    next,
    nextUint32: () => words.word(),
    integer,
    // 1 − next() is never 0, whose logarithm would be −∞.
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    permutation: (size: number) => permute(size, integer),
    fillUniform: (out: Float32Array) => fillUniform(out, words),
    fillNormal: (out: Float32Array) => fillNormal(out, words),
  });
}

/** Draws again when the number falls into the last, incomplete run of `below` numbers. */
function drawInteger(below: number, word: () => number, bits53: () => number): number {
  if (!Number.isSafeInteger(below) || below < 1) {
    throw new ShapeError(
      `core/Random.integer: below: expected an integer of at least 1, got ${below}.`,
    );
  }
  const [draw, range] = below <= TWO_32 ? [word, TWO_32] : [bits53, TWO_53];
  const limit = range - (range % below);
  for (;;) {
    const drawn = draw();
    if (drawn < limit) return drawn % below;
  }
}

/** Fisher and Yates, from the end (Durstenfeld 1964). */
function permute(size: number, integer: (below: number) => number): Uint32Array {
  if (!Number.isInteger(size) || size < 0 || size > TWO_32) {
    throw new ShapeError(
      `core/Random.permutation: size: expected an integer in [0, 2^32], got ${size}.`,
    );
  }
  const order = Uint32Array.from({ length: size }, (_, i) => i);
  for (let i = size - 1; i > 0; i--) {
    const j = integer(i + 1);
    const moved = order[i]!;
    order[i] = order[j]!;
    order[j] = moved;
  }
  return order;
}

/** 24 bits each: exactly the float32 multiples of 2⁻²⁴, so that rounding never gives 1. */
function fillUniform(out: Float32Array, words: WordStream): void {
  words.pairs(Math.floor(out.length / 2), (first, second, i) => {
    out[2 * i] = (first >>> 8) * 2 ** -24;
    out[2 * i + 1] = (second >>> 8) * 2 ** -24;
  });
  if (out.length % 2 === 1) out[out.length - 1] = (words.word() >>> 8) * 2 ** -24;
}

/** Box and Muller's pairs from 32 bits each, both of a pair used; at most 6.66 in size. An odd last one takes a pair too. */
function fillNormal(out: Float32Array, words: WordStream): void {
  words.pairs(Math.ceil(out.length / 2), (first, second, i) => {
    const radius = Math.sqrt(-2 * Math.log((first + 1) / TWO_32));
    const angle = (second / TWO_32) * 2 * Math.PI;
    out[2 * i] = radius * Math.cos(angle);
    // Beyond the end of an odd-sized array this writes nothing.
    out[2 * i + 1] = radius * Math.sin(angle);
  });
}
