/** Which source pixels make an output pixel, and with which weights: Pillow's `precompute_coeffs` (libImaging/Resample.c). */

export type Interpolation = "bicubic" | "bilinear";

interface Kernel {
  readonly support: number;
  readonly weight: (x: number) => number;
}

const KERNELS: Readonly<Record<Interpolation, Kernel>> = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  // Keys' cubic with a = −0.5 (Keys 1981), its terms in Pillow's order: sums round alike.
  bicubic: {
    support: 2,
    weight: (signed) => {
      const x = Math.abs(signed);
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      if (x < 2) return (((x - 5) * x + 8) * x - 4) * -0.5;
      return 0;
    },
  },
};

/** One axis of a resize; only outputs `begin` to `end` − 1 are wanted. */
export interface Axis {
  readonly from: number;
  readonly to: number;
  readonly begin: number;
  readonly end: number;
  readonly interpolation: Interpolation;
}

export interface Taps {
  /** First source pixel of each output; never falls. */
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** [outputs, width], each row summing to 1. */
  readonly weights: Float64Array;
  readonly width: number;
}

/** The kernel is widened by the reduction (antialiasing), cut at the picture's edge and normalised. */
export function createTaps({ from, to, begin, end, interpolation }: Axis): Taps {
  const { support: radius, weight } = KERNELS[interpolation];
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const support = radius * stretch;
  const width = Math.ceil(support) * 2 + 1;
  const outputs = end - begin;
  const first = new Int32Array(outputs);
  const count = new Int32Array(outputs);
  const weights = new Float64Array(outputs * width);
  const inverse = 1 / stretch;
  for (let i = 0; i < outputs; i++) {
    const centre = (begin + i + 0.5) * scale;
    const low = Math.max(0, Math.trunc(centre - support + 0.5));
    const high = Math.min(from, Math.trunc(centre + support + 0.5));
    first[i] = low;
    count[i] = high - low;
    const at = i * width - low;
    let sum = 0;
    for (let x = low; x < high; x++) {
      const value = weight((x - centre + 0.5) * inverse);
      weights[at + x] = value;
      sum += value;
    }
    if (sum === 0) continue;
    for (let x = low; x < high; x++) weights[at + x] = (weights[at + x] as number) / sum;
  }
  return { first, count, weights, width };
}

/** Fractional bits of a fixed-point weight: 32 − 8 of the pixel − 2 for overshoot and sign. */
const PRECISION_BITS = 22;

/**
 * Taps as resample.wat reads them: per output int32 offset and int32 groups, then per group of `group` taps int16 high
 * parts and int16 low parts of the fixed-point weights (weight·2²², rounded half away from 0 = high·2¹² + low).
 *
 * @param step Bytes from one source pixel (or row) to the next.
 * @param origin The source pixel (or row) at offset 0.
 */
export function packTaps(
  taps: Taps,
  options: { readonly group: 2 | 4; readonly step: number; readonly origin: number },
): Uint8Array {
  const { first, count, weights, width } = taps;
  const { group, step, origin } = options;
  let groups = 0;
  for (const n of count) groups += Math.ceil(n / group);
  const halves = new Int16Array(first.length * 4 + groups * group * 2);
  const words = new Int32Array(halves.buffer);
  let at = 0;
  for (let i = 0; i < first.length; i++) {
    const n = count[i] as number;
    words[at / 2] = ((first[i] as number) - origin) * step;
    words[at / 2 + 1] = Math.ceil(n / group);
    at += 4;
    for (let start = 0; start < n; start += group, at += 2 * group) {
      for (let j = 0; j < group && start + j < n; j++) {
        const scaled = (weights[i * width + start + j] as number) * 2 ** PRECISION_BITS;
        const fixed = Math.trunc(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
        halves[at + j] = fixed >> 12;
        halves[at + group + j] = fixed & 0xfff;
      }
    }
  }
  return new Uint8Array(halves.buffer);
}
