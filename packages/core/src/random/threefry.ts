/** Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011). */

/** Parity of the key schedule, C240 of Skein cut to 32 bits. */
const PARITY = 0x1bd11bda;

/** Two uint32, the key of a stream. */
export type Key = readonly [number, number];

/**
 * Encrypts the counter (low, high) under `key`; the two words are left in `out`. Twenty rounds of add, rotate, exclusive
 * or, with subkeys in rotation after each four, told apart by their number. Written out, which is three times as fast as
 * a loop over tables of rotations: a step's dropout is hundreds of thousands of words.
 */
export function threefry2x32(key: Key, low: number, high: number, out: Uint32Array): void {
  const k0 = key[0] | 0;
  const k1 = key[1] | 0;
  const k2 = PARITY ^ k0 ^ k1;
  let a = (low + k0) | 0;
  let b = (high + k1) | 0;
  a = (a + b) | 0;
  b = ((b << 13) | (b >>> 19)) ^ a;
  a = (a + b) | 0;
  b = ((b << 15) | (b >>> 17)) ^ a;
  a = (a + b) | 0;
  b = ((b << 26) | (b >>> 6)) ^ a;
  a = (a + b) | 0;
  b = ((b << 6) | (b >>> 26)) ^ a;
  a = (a + k1) | 0;
  b = (b + k2 + 1) | 0;
  a = (a + b) | 0;
  b = ((b << 17) | (b >>> 15)) ^ a;
  a = (a + b) | 0;
  b = ((b << 29) | (b >>> 3)) ^ a;
  a = (a + b) | 0;
  b = ((b << 16) | (b >>> 16)) ^ a;
  a = (a + b) | 0;
  b = ((b << 24) | (b >>> 8)) ^ a;
  a = (a + k2) | 0;
  b = (b + k0 + 2) | 0;
  a = (a + b) | 0;
  b = ((b << 13) | (b >>> 19)) ^ a;
  a = (a + b) | 0;
  b = ((b << 15) | (b >>> 17)) ^ a;
  a = (a + b) | 0;
  b = ((b << 26) | (b >>> 6)) ^ a;
  a = (a + b) | 0;
  b = ((b << 6) | (b >>> 26)) ^ a;
  a = (a + k0) | 0;
  b = (b + k1 + 3) | 0;
  a = (a + b) | 0;
  b = ((b << 17) | (b >>> 15)) ^ a;
  a = (a + b) | 0;
  b = ((b << 29) | (b >>> 3)) ^ a;
  a = (a + b) | 0;
  b = ((b << 16) | (b >>> 16)) ^ a;
  a = (a + b) | 0;
  b = ((b << 24) | (b >>> 8)) ^ a;
  a = (a + k1) | 0;
  b = (b + k2 + 4) | 0;
  a = (a + b) | 0;
  b = ((b << 13) | (b >>> 19)) ^ a;
  a = (a + b) | 0;
  b = ((b << 15) | (b >>> 17)) ^ a;
  a = (a + b) | 0;
  b = ((b << 26) | (b >>> 6)) ^ a;
  a = (a + b) | 0;
  b = ((b << 6) | (b >>> 26)) ^ a;
  a = (a + k2) | 0;
  b = (b + k0 + 5) | 0;
  out[0] = a;
  out[1] = b;
}

const scratch = new Uint32Array(2);

/** A counter that no stream reaches: it would take 2⁶⁴ blocks. */
const SPLIT_COUNTER = 0xffffffff;

/**
 * The key of the stream `name` below `key`: a chain of encryptions over the name's UTF-16 units and its length
 * (Matyas–Meyer–Oseas), from a start that no value of the stream itself shows.
 */
export function deriveKey(key: Key, name: string): Key {
  threefry2x32(key, SPLIT_COUNTER, SPLIT_COUNTER, scratch);
  let low = scratch[0]!;
  let high = scratch[1]!;
  const absorb = (first: number, second: number): void => {
    threefry2x32([low, high], first, second, scratch);
    low = (scratch[0]! ^ first) >>> 0;
    high = (scratch[1]! ^ second) >>> 0;
  };
  const unit = (i: number): number => (i < name.length ? name.charCodeAt(i) : 0);
  for (let i = 0; i < name.length; i += 4)
    absorb((unit(i) | (unit(i + 1) << 16)) >>> 0, (unit(i + 2) | (unit(i + 3) << 16)) >>> 0);
  absorb(name.length, 0);
  return [low, high];
}
