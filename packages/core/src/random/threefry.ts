/** Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011). */

/** Parity of the key schedule, C240 of Skein cut to 32 bits. */
const PARITY = 0x1bd11bda;

/** Two uint32, the key of a stream. */
export type Key = readonly [number, number];

/** Four rounds: add, rotate by each constant, exclusive or. */
const EVEN = [13, 15, 26, 6] as const;
const ODD = [17, 29, 16, 24] as const;

/**
 * Encrypts the counter (low, high) under `key`; the two words are left in `out`.
 * Written out by round so that the engine keeps both words in registers.
 */
export function threefry2x32(key: Key, low: number, high: number, out: Uint32Array): void {
  const k0 = key[0] | 0;
  const k1 = key[1] | 0;
  const k2 = PARITY ^ k0 ^ k1;
  let a = (low + k0) | 0;
  let b = (high + k1) | 0;
  for (let group = 0; group < 5; group++) {
    const [r0, r1, r2, r3] = group % 2 === 0 ? EVEN : ODD;
    a = (a + b) | 0;
    b = ((b << r0) | (b >>> (32 - r0))) ^ a;
    a = (a + b) | 0;
    b = ((b << r1) | (b >>> (32 - r1))) ^ a;
    a = (a + b) | 0;
    b = ((b << r2) | (b >>> (32 - r2))) ^ a;
    a = (a + b) | 0;
    b = ((b << r3) | (b >>> (32 - r3))) ^ a;
    // Subkeys in rotation: after group g come keys g+1 and g+2 (modulo 3), and g+1 to tell the groups apart.
    const turn = group % 3;
    const first = turn === 0 ? k1 : turn === 1 ? k2 : k0;
    const second = turn === 0 ? k2 : turn === 1 ? k0 : k1;
    a = (a + first) | 0;
    b = (b + second + group + 1) | 0;
  }
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
