import { describe, expect, it } from "vitest";
import { erf } from "./erf.js";

// From Wolfram's and DLMF's tables (7.23), to 17 digits.
const KNOWN: readonly (readonly [number, number])[] = [
  [0, 0],
  [1e-10, 1.1283791670955126e-10],
  [0.1, 0.1124629160182849],
  [0.5, 0.5204998778130465],
  [1, 0.8427007929497149],
  [1.5, 0.9661051464753108],
  [2, 0.9953222650189527],
  [2.5, 0.999593047982555],
  [3, 0.9999779095030014],
  [4, 0.9999999845827421],
  [5, 0.9999999999984626],
  [7, 1],
  [Infinity, 1],
];

describe("erf", () => {
  it.each(KNOWN)("of %d is within 1e-15", (x, expected) => {
    expect(Math.abs(erf(x) - expected)).toBeLessThanOrEqual(1e-15 * expected);
    expect(erf(-x)).toBeCloseTo(-expected, 15);
  });

  it("joins its two forms without a step", () => {
    const slope = (2 / Math.sqrt(Math.PI)) * Math.exp(-4);
    const step = 2 ** -30;
    expect(Math.abs(erf(2 + step) - erf(2 - step) - 2 * step * slope)).toBeLessThan(1e-15);
  });

  it("gives NaN for NaN", () => expect(erf(NaN)).toBeNaN());
});
