/** The generator's interface; `createRandom` in prng.ts makes one. */

/**
 * A splittable, counter-based generator (Threefry-2x32 with 20 rounds, Salmon et al., SC 2011): a value depends only
 * on the key and the counter, so any stream can be replayed from any place, on any machine.
 */
export interface Random {
  /** An independent stream for `name` (a word or a number); the same name gives the same stream. */
  split(name: string | number): Random;
  /** Next float64 in [0, 1) of 53 random bits. */
  next(): number;
  /** Next uint32. */
  nextUint32(): number;
  /** Integer in [0, below), unbiased. */
  integer(below: number): number;
  /** Standard normal (Box–Muller). */
  normal(): number;
  /** 0…size−1 in random order (Fisher–Yates). */
  permutation(size: number): Uint32Array;
  /** Fills `out` with uniform [0, 1). */
  fillUniform(out: Float32Array): void;
  /** Fills `out` with standard normals. */
  fillNormal(out: Float32Array): void;
}
