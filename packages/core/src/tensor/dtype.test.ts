import { describe, expect, it } from "vitest";
import {
  bfloat16Bits,
  bfloat16Value,
  BYTES_PER_ELEMENT,
  createHostArray,
  DTYPES,
  float16Bits,
  float16Value,
  isFloat,
} from "./dtype.js";

const ALL = Array.from({ length: 65536 }, (_, bits) => bits);
const isNaNHalf = (bits: number): boolean => (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0;
const isNaNBrain = (bits: number): boolean => (bits & 0x7f80) === 0x7f80 && (bits & 0x7f) !== 0;

describe("float16", () => {
  it("has every value of its 65,536 patterns back", () => {
    const broken = ALL.filter((bits) => float16Bits(float16Value(bits)) !== bits);
    expect(broken.every(isNaNHalf)).toBe(true);
    expect(broken.length).toBe(2 * 1023 - 1);
    expect(ALL.filter(isNaNHalf).every((bits) => Number.isNaN(float16Value(bits)))).toBe(true);
    expect(float16Bits(NaN)).toBe(0x7e00);
  });

  // IEEE 754-2008, binary16: the values that every table of it lists.
  it.each([
    [0x0000, 0],
    [0x8000, -0],
    [0x3c00, 1],
    [0xc000, -2],
    [0x3555, 0.333251953125],
    [0x7bff, 65504],
    [0x0400, 2 ** -14],
    [0x03ff, (1023 / 1024) * 2 ** -14],
    [0x0001, 2 ** -24],
    [0x7c00, Infinity],
    [0xfc00, -Infinity],
  ])("0x%s is %d", (bits, value) => {
    expect(Object.is(float16Value(bits), value)).toBe(true);
    expect(float16Bits(value)).toBe(bits);
  });

  it("rounds to the nearest, ties to even, between every pair of neighbours", () => {
    for (let bits = 0; bits < 0x7bff; bits++) {
      const [low, high] = [float16Value(bits), float16Value(bits + 1)];
      const middle = (low + high) / 2;
      const step = high - low;
      expect(float16Bits(middle)).toBe(bits % 2 === 0 ? bits : bits + 1);
      expect(float16Bits(middle - step / 1024)).toBe(bits);
      expect(float16Bits(middle + step / 1024)).toBe(bits + 1);
      expect(float16Bits(-middle)).toBe(0x8000 | (bits % 2 === 0 ? bits : bits + 1));
    }
  });

  it("overflows to infinity half a step above the largest", () => {
    expect(float16Bits(65519.99)).toBe(0x7bff);
    expect(float16Bits(65520)).toBe(0x7c00);
    expect(float16Bits(-1e300)).toBe(0xfc00);
    expect(float16Bits(2 ** -25)).toBe(0);
    expect(float16Bits(-(2 ** -26))).toBe(0x8000);
    expect(float16Bits(2 ** -25 * 1.001)).toBe(1);
  });
});

describe("bfloat16", () => {
  it("has every value of its 65,536 patterns back", () => {
    const broken = ALL.filter((bits) => bfloat16Bits(bfloat16Value(bits)) !== bits);
    expect(broken.every(isNaNBrain)).toBe(true);
    expect(broken.length).toBe(2 * 127 - 1);
    expect(bfloat16Bits(NaN)).toBe(0x7fc0);
  });

  it.each([
    [0x3f80, 1],
    [0xc000, -2],
    [0x4049, 3.140625],
    [0x7f80, Infinity],
    [0x8000, -0],
    [0x0001, 2 ** -133],
    [0x7f7f, (2 - 2 ** -7) * 2 ** 127],
  ])("0x%s is %d", (bits, value) => {
    expect(Object.is(bfloat16Value(bits), value)).toBe(true);
    expect(bfloat16Bits(value)).toBe(bits);
  });

  it("rounds to the nearest, ties to even, once and not by way of float32", () => {
    for (let bits = 0x0080; bits < 0x7f7f; bits += 7) {
      const [low, high] = [bfloat16Value(bits), bfloat16Value(bits + 1)];
      const middle = (low + high) / 2;
      expect(bfloat16Bits(middle)).toBe(bits % 2 === 0 ? bits : bits + 1);
      // So near to the tie that float32 shows the tie itself.
      expect(bfloat16Bits(middle - (high - low) * 2 ** -30)).toBe(bits);
      expect(bfloat16Bits(middle + (high - low) * 2 ** -30)).toBe(bits + 1);
    }
    expect(bfloat16Bits(Math.PI)).toBe(0x4049);
  });

  it("overflows to infinity", () => {
    const largest = bfloat16Value(0x7f7f);
    expect(bfloat16Bits(largest * (1 + 2 ** -10))).toBe(0x7f7f);
    expect(bfloat16Bits(3.4e38)).toBe(0x7f80);
    expect(bfloat16Bits(-1e300)).toBe(0xff80);
  });
});

it("every dtype has an array of its element size", () => {
  for (const dtype of DTYPES) {
    expect(createHostArray(dtype, 3).byteLength).toBe(3 * BYTES_PER_ELEMENT[dtype]);
    expect(isFloat(dtype)).toBe(dtype.includes("float"));
  }
});
