// Random changes of small files, from a seed: flipped bits, lying numbers, pieces cut out, doubled, moved in or cut off.

export interface Draw {
  /** An integer from 0 to `below` − 1. */
  below(below: number): number;
}

/** A xorshift generator: quick, and the same everywhere. */
export function createDraw(seed: number): Draw {
  let state = (seed * 2_654_435_761 + 1) | 0 || 1;
  return {
    below: (below) => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return (state >>> 0) % below;
    },
  };
}

/** Numbers at which lengths, counts and signs go wrong. */
const NUMBERS = [
  0n,
  1n,
  2n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  1n << 53n,
  1n << 60n,
  (1n << 64n) - 1n,
];

type Mutation = (bytes: Buffer, draw: Draw, other: Uint8Array) => Buffer;

function overwrite(bytes: Buffer, draw: Draw): Buffer {
  const size = [1, 2, 4, 8][draw.below(4)]!;
  const number = Buffer.alloc(8);
  number.writeBigUInt64LE(NUMBERS[draw.below(NUMBERS.length)]!);
  if (bytes.length >= size) number.copy(bytes, draw.below(bytes.length - size + 1), 0, size);
  return bytes;
}

function piece(bytes: Uint8Array, draw: Draw): Uint8Array {
  const begin = draw.below(bytes.length + 1);
  return bytes.subarray(begin, begin + 1 + draw.below(32));
}

function splice(bytes: Buffer, draw: Draw, inserted: Uint8Array): Buffer {
  const at = draw.below(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at)]);
}

const MUTATIONS: readonly Mutation[] = [
  (bytes, draw) => {
    if (bytes.length > 0) bytes[draw.below(bytes.length)]! ^= 1 << draw.below(8);
    return bytes;
  },
  (bytes, draw) => {
    if (bytes.length > 0) bytes[draw.below(bytes.length)] = draw.below(256);
    return bytes;
  },
  overwrite,
  overwrite,
  (bytes, draw) => {
    const at = draw.below(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + draw.below(16))]);
  },
  (bytes, draw) => splice(bytes, draw, piece(bytes, draw)),
  (bytes, draw, other) => splice(bytes, draw, piece(other, draw)),
  (bytes, draw) => bytes.subarray(0, draw.below(bytes.length + 1)),
];

/** `seed` with one to four changes; pieces may come from `other`. */
export function mutate(seed: Uint8Array, draw: Draw, other: Uint8Array): Buffer {
  let bytes: Buffer = Buffer.from(seed);
  for (let changes = 1 + draw.below(4); changes > 0; changes--)
    bytes = MUTATIONS[draw.below(MUTATIONS.length)]!(bytes, draw, other);
  return bytes;
}
