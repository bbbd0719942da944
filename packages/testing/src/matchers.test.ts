import { hostTensorFrom } from "@diptych/core";
import { createFloat64Tensor } from "@diptych/core/reference";
import { describe, expect, it } from "vitest";
import { expectClose, findDifference } from "./matchers.js";

const exact = { relativeToLargest: 0 };

describe("findDifference", () => {
  it("allows an error relative to the largest entry", () => {
    expect(findDifference([1.0005, 1000], [1, 1000], { relativeToLargest: 1e-6 })).toBeUndefined();
    expect(findDifference([1.002, 1000], [1, 1000], { relativeToLargest: 1e-6 })).toBe(
      "values: entry 0: expected 1, got 1.002 (off by 0.0020000000000000018, allowed 0.001; 1 of 2 entries are off)",
    );
    expect(findDifference([1e-9], [0], { relativeToLargest: 1, absolute: 1e-8 })).toBeUndefined();
    expect(findDifference([1e-7], [0], { relativeToLargest: 1, absolute: 1e-8 })).toContain(
      "off by",
    );
  });

  it("wants the same infinities and NaN", () => {
    const special = [Infinity, -Infinity, NaN, 1];
    expect(findDifference(special, special, exact)).toBeUndefined();
    for (const [i, value] of [
      [0, 1e300],
      [1, Infinity],
      [2, 0],
      [3, NaN],
      [3, Infinity],
    ] as const) {
      const changed = special.with(i, value);
      expect(findDifference(changed, special, { relativeToLargest: 1 }), String(changed)).toContain(
        `entry ${i}`,
      );
    }
  });

  it("compares sizes, shapes and dtypes where both sides have them", () => {
    const tensor = hostTensorFrom("float32", [1, 2], [1, 2]);
    expect(
      findDifference(tensor, createFloat64Tensor("float32", [1, 2], [1, 2]), exact),
    ).toBeUndefined();
    expect(findDifference(tensor, [1, 2], exact)).toBeUndefined();
    expect(findDifference(tensor, [1, 2, 3], exact)).toBe("values: expected 3 entries, got 2");
    expect(findDifference(tensor, createFloat64Tensor("float32", [2, 1], [1, 2]), exact)).toContain(
      "shape [2, 1], got [1, 2]",
    );
    expect(findDifference(tensor, createFloat64Tensor("int32", [1, 2], [1, 2]), exact)).toContain(
      "dtype int32, got float32",
    );
  });

  it("decodes 16-bit floats", () => {
    expect(findDifference(hostTensorFrom("float16", [1], [0.5]), [0.5], exact)).toBeUndefined();
  });

  it("finds nothing in nothing", () => expect(findDifference([], [], exact)).toBeUndefined());
});

describe("expectClose", () => {
  it("passes or fails", () => {
    expectClose([1], [1], exact);
    expect(() => expectClose([1], [2], { ...exact, what: "the loss" })).toThrow(
      "the loss: entry 0: expected 2, got 1",
    );
  });
});
