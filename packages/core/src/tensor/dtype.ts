/** The five element types of the graph, their storage on the host, and conversions of 16-bit floats. */

export const DTYPES = ["float32", "float16", "bfloat16", "int32", "bool"] as const;
export type DType = (typeof DTYPES)[number];

/** Host storage: 16-bit floats as their bits in Uint16Array, booleans as 0/1 bytes. */
export interface HostArrays {
  float32: Float32Array;
  float16: Uint16Array;
  bfloat16: Uint16Array;
  int32: Int32Array;
  bool: Uint8Array;
}
export type HostArray = HostArrays[DType];

export const BYTES_PER_ELEMENT: Readonly<Record<DType, number>> = Object.freeze({
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int32: 4,
  bool: 1,
});

export function isFloat(dtype: DType): boolean {
  return dtype === "float32" || dtype === "float16" || dtype === "bfloat16";
}

/** A zeroed host array of `size` elements. */
export function createHostArray<D extends DType>(dtype: D, size: number): HostArrays[D] {
  const make: { [K in DType]: (n: number) => HostArrays[K] } = {
    float32: (n) => new Float32Array(n),
    float16: (n) => new Uint16Array(n),
    bfloat16: (n) => new Uint16Array(n),
    int32: (n) => new Int32Array(n),
    bool: (n) => new Uint8Array(n),
  };
  return make[dtype](size);
}

const floatView = new Float32Array(1);
const bitsView = new Uint32Array(floatView.buffer);

/** Bits of the bfloat16 nearest to `value`, ties to even, overflow to infinity; every NaN is 0x7fc0. */
export function bfloat16Bits(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0;
  floatView[0] = value;
  const bits = bitsView[0]!;
  const rounded = floatView[0];
  // A tie that rounding to float32 made is none: what was rounded away decides.
  if ((bits & 0xffff) === 0x8000 && rounded !== value)
    return (bits >>> 16) + (Math.abs(value) > Math.abs(rounded) ? 1 : 0);
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

export function bfloat16Value(bits: number): number {
  bitsView[0] = bits << 16;
  return floatView[0] ?? 0;
}

/** Bits of the IEEE half nearest to `value`, ties to even, overflow to infinity; every NaN is 0x7e00. */
export function float16Bits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude >= 65520) return sign | 0x7c00;
  if (magnitude < 2 ** -25) return sign;
  // The spacing of halves around `magnitude`; subnormals share the spacing 2^-24.
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude)));
  const corrected = magnitude < 2 ** exponent ? exponent - 1 : exponent;
  const scale = Math.max(-14, corrected);
  const steps = roundHalfEven(magnitude / 2 ** (scale - 10));
  return sign | (((scale + 14) << 10) + steps);
}

export function float16Value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest > 0.5) return floor + 1;
  if (rest < 0.5) return floor;
  return floor % 2 === 0 ? floor : floor + 1;
}
