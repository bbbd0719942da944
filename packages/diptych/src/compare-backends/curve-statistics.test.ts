import { describe, expect, it } from "vitest";
import { curveDifference, spreadOf, warmupSteps } from "./curve-statistics.js";

describe("curveDifference", () => {
  it("is the largest, relative to the reference, with its step", () => {
    expect(curveDifference([1, 2.2, 3.03], [1, 2, 3])).toEqual({
      largest: expect.closeTo(0.1) as number,
      step: 1,
    });
    expect(curveDifference([1, 2], [1, 2, 3])).toEqual({ largest: 0, step: 0 });
    expect(curveDifference([], [1])).toBeNull();
  });

  it("never takes what is no number for agreement", () => {
    expect(curveDifference([1, NaN, 1], [1, 1, 1])).toEqual({ largest: Infinity, step: 1 });
    expect(curveDifference([0], [0])?.largest).toBe(0);
    expect(curveDifference([1e-6], [0])?.largest).toBeCloseTo(1);
  });
});

describe("spreadOf", () => {
  it("interpolates quartiles", () => {
    expect(spreadOf([4, 1, 3, 2])).toEqual({ lower: 1.75, median: 2.5, upper: 3.25, count: 4 });
    expect(spreadOf([7])).toEqual({ lower: 7, median: 7, upper: 7, count: 1 });
    expect(spreadOf([])).toBeNull();
  });
});

describe("warmupSteps", () => {
  it("leaves steps to be timed", () => {
    expect([1, 2, 3, 6, 20].map(warmupSteps)).toEqual([0, 0, 1, 2, 3]);
  });
});
