import { describe, expect, it } from "vitest";
import { ShapeError } from "../errors.js";
import { input } from "../ops/primitives/leaves.js";
import { checkShapes } from "./check-shapes.js";
import { formatDim, parseDim } from "./dim.js";

const value = (...shape: readonly (number | string)[]) =>
  input(
    "x",
    shape.map((dim) => (typeof dim === "number" ? dim : parseDim(dim))),
  );

describe("checkShapes", () => {
  it("binds names to sizes, numbers or symbols", () => {
    const { batch, embedDim } = checkShapes(
      "test/f",
      [value("batch", 24), "image", ["batch", "embedDim"]],
      [value("batch", 24), "text", ["batch", "embedDim"]],
    );
    expect([formatDim(batch), embedDim]).toEqual(["batch", 24]);
  });

  it("checks numbers, polynomials over names, and leading axes", () => {
    const { width } = checkShapes(
      "test/f",
      [value(7, 5, 4), "x", ["...", "width"]],
      [value(12, 4), "weight", ["3*width", 4]],
      [value(5), "bias", ["width+1"]],
    );
    expect(width).toBe(4);
  });

  it("says what differs and where the size came from", () => {
    const build = (): unknown =>
      checkShapes(
        "losses/info-nce",
        [value(6, 24), "image", ["batch", "embedDim"]],
        [value(6, 32), "text", ["batch", "embedDim"]],
      );
    expect(build).toThrow(ShapeError);
    expect(build).toThrow(
      "losses/info-nce: text: expected [batch, embedDim], got [6, 32] (embedDim is 24 as in image, got 32).",
    );
  });

  it.each([
    [() => checkShapes("f", [value(2), "x", ["a", "b"]]), "2 axes, got 1"],
    [() => checkShapes("f", [value(2), "x", ["...", "a", "b"]]), "at least 2 axes, got 1"],
    [() => checkShapes("f", [value(2), "x", [3]]), "3 is 3, got 2"],
    [() => checkShapes("f", [value("n", "m"), "x", ["a", "a"]]), "a is n as in x, got m"],
    [() => checkShapes("f", [value(2, 5), "x", ["a", "2*a"]]), "2*a is 4, got 5"],
    [() => checkShapes("f", [value(2), "x", ["a+1"]]), 'got "a" in "a+1"'],
  ])("refuses %#", (build, text) => {
    expect(build).toThrow(text);
  });
});
