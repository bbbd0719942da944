/** The sign-flip permutation test: were the two methods one, each difference could as well have had the other sign. */
import type { Random } from "@diptych/core";
import { fairCoinTails } from "./distributions.js";

/** Up to this many differences all 2ⁿ ways are tried. */
const ENUMERATED = 16;
/** Cells that the distribution of a sum of whole numbers may take to be worked out. */
const MOST_WORK = 2e7;
const FLIPS = 9_999;
/** Sums this close (relative to the largest) are equal: rounding must not decide. */
const TIE = 1e-9;

/**
 * Two-sided p of the hypothesis that differences are symmetric about 0: the share of all ways to flip their signs whose
 * sum is at least as far from 0 as the one found.
 *
 * With n differences that are not 0 the least p is 2/2ⁿ: 0.0625 for five. Differences of one size (right or wrong answers of
 * two models) make it McNemar's exact test. Exact where n ≤ 16 or the differences are multiples of one number (means of few
 * seeds); otherwise 9,999 drawn ways and the one found, p = (k + 1)/10,000.
 */
export function signFlipP(differences: Float64Array, random: Random): number {
  const sizes = differences.filter((value) => value !== 0);
  if (sizes.length === 0) return 1;
  const unit = sizes.reduce((least, value) => Math.min(least, Math.abs(value)), Infinity);
  const multiples = sizes.map((value) => Math.round(value / unit));
  const whole = sizes.every((value, i) => Math.abs(value / unit - multiples[i]!) < 1e-6);
  if (whole && multiples.every((value) => Math.abs(value) === 1)) {
    return fairCoinTails(multiples.filter((value) => value > 0).length, multiples.length);
  }
  if (sizes.length <= ENUMERATED) return enumerate(sizes);
  const range = multiples.reduce((sum, value) => sum + Math.abs(value), 0);
  if (whole && range * sizes.length <= MOST_WORK) return byDistribution(multiples, range);
  return byDrawing(sizes, random);
}

/** Every sum, each half the signs: the other half mirrors it. */
function enumerate(sizes: Float64Array): number {
  const found = Math.abs(sizes.reduce((sum, value) => sum + value, 0));
  const tolerance = TIE * sizes.reduce((sum, value) => sum + Math.abs(value), 0);
  const ways = 2 ** (sizes.length - 1);
  let asFar = 0;
  for (let way = 0; way < ways; way++) {
    let sum = sizes[sizes.length - 1]!;
    for (let i = 0; i < sizes.length - 1; i++) sum += (way >> i) & 1 ? -sizes[i]! : sizes[i]!;
    if (Math.abs(sum) >= found - tolerance) asFar++;
  }
  return asFar / ways;
}

/** The distribution of the sum of whole numbers under random signs, difference by difference. */
function byDistribution(multiples: Float64Array, range: number): number {
  let shares = new Float64Array(2 * range + 1);
  shares[range] = 1;
  let reach = 0;
  for (const value of multiples) {
    const size = Math.abs(value);
    const next = new Float64Array(2 * range + 1);
    for (let i = range - reach; i <= range + reach; i++) {
      const half = shares[i]! / 2;
      if (half === 0) continue;
      next[i - size]! += half;
      next[i + size]! += half;
    }
    shares = next;
    reach += size;
  }
  const found = Math.abs(multiples.reduce((sum, value) => sum + value, 0));
  let tail = 0;
  for (let sum = found; sum <= range; sum++) tail += shares[range + sum]!;
  return found === 0 ? 1 : Math.min(1, 2 * tail);
}

function byDrawing(sizes: Float64Array, random: Random): number {
  const found = Math.abs(sizes.reduce((sum, value) => sum + value, 0));
  const tolerance = TIE * sizes.reduce((sum, value) => sum + Math.abs(value), 0);
  let asFar = 1;
  for (let flip = 0; flip < FLIPS; flip++) {
    let sum = 0;
    let bits = 0;
    for (let i = 0; i < sizes.length; i++) {
      if (i % 32 === 0) bits = random.nextUint32();
      sum += (bits >>> (i % 32)) & 1 ? sizes[i]! : -sizes[i]!;
    }
    if (Math.abs(sum) >= found - tolerance) asFar++;
  }
  return asFar / (FLIPS + 1);
}
