import { describe, expect, it } from "vitest";
import { ShapeError } from "../errors.js";
import { broadcastShapes, stretchedAxes } from "./broadcast.js";
import { addDims, mulDims, symbolDim } from "./dim.js";
import {
  bindShape,
  createShape,
  elementCount,
  equalShapes,
  evaluateShape,
  formatShape,
  resolveAxis,
  rowMajorStrides,
  shapeSize,
  staticShape,
} from "./shape.js";

const batch = symbolDim("batch");
const tokens = symbolDim("tokens");

describe("shapes", () => {
  it("are frozen copies of sizes", () => {
    const dims = [2, batch];
    const shape = createShape(dims);
    dims[0] = 3;
    expect(shape).toEqual([2, batch]);
    expect(Object.isFrozen(shape)).toBe(true);
    for (const size of [-1, 1.5, NaN]) {
      expect(() => createShape([size])).toThrow(/expected an integer of at least 0/);
    }
  });

  it("print, count and compare", () => {
    const shape = createShape([batch, addDims(tokens, 1), 8]);
    expect(formatShape(shape)).toBe("[batch, tokens+1, 8]");
    expect(shapeSize(shape)).toEqual(mulDims(8, batch, addDims(tokens, 1)));
    expect(shapeSize([])).toBe(1);
    expect(equalShapes(shape, [batch, addDims(1, tokens), 8])).toBe(true);
    expect(equalShapes(shape, [batch, tokens, 8])).toBe(false);
    expect(equalShapes([2], [2, 1])).toBe(false);
    expect(elementCount([2, 3, 4])).toBe(24);
    expect(elementCount([2, 0])).toBe(0);
    expect(rowMajorStrides([2, 3, 4])).toEqual([12, 4, 1]);
    expect(rowMajorStrides([])).toEqual([]);
  });

  it("bind, and say which symbol is missing where numbers are needed", () => {
    expect(bindShape([batch, tokens], { batch: 4 })).toEqual([4, tokens]);
    expect(evaluateShape([batch, 3], { batch: 4 })).toEqual([4, 3]);
    expect(staticShape([4, 3], "here")).toEqual([4, 3]);
    expect(() => staticShape([4, tokens], "core/here")).toThrow(
      /core\/here: shape: expected numbers, got \[4, tokens\]. Bind tokens first/,
    );
  });

  it("resolve axes from the end", () => {
    expect([resolveAxis(0, 3, "w"), resolveAxis(-1, 3, "w"), resolveAxis(2, 3, "w")]).toEqual([
      0, 2, 2,
    ]);
    for (const axis of [3, -4, 0.5]) {
      expect(() => resolveAxis(axis, 3, "core/sum")).toThrow(
        /core\/sum: axis: expected an integer in \[-3, 3\)/,
      );
    }
  });
});

describe("broadcastShapes", () => {
  it.each([
    [[3], [3], [3]],
    [[2, 3], [3], [2, 3]],
    [
      [2, 1],
      [1, 3],
      [2, 3],
    ],
    [[], [2, 3], [2, 3]],
    [[1], [0], [0]],
    [
      [batch, 1, 8],
      [tokens, 1],
      [batch, tokens, 8],
    ],
    [
      [batch, 4],
      [1, 4],
      [batch, 4],
    ],
  ])("of %o and %o", (a, b, expected) => {
    expect(broadcastShapes("test", a, b)).toEqual(expected);
    expect(broadcastShapes("test", b, a)).toEqual(expected);
  });

  it("never matches a symbol with another symbol or a number, and names both", () => {
    const other = symbolDim("textBatch");
    expect(() => broadcastShapes("core/add", [batch, 4], [other, 4])).toThrow(ShapeError);
    expect(() => broadcastShapes("core/add", [batch, 4], [other, 4])).toThrow(
      /core\/add: shapes: expected \[batch, 4\] and \[textBatch, 4\] to broadcast, got batch against textBatch \(axis -2\)/,
    );
    expect(() => broadcastShapes("core/add", [batch], [8])).toThrow(/batch against 8/);
    expect(() => broadcastShapes("core/add", [2], [3])).toThrow(/2 against 3 \(axis -1\)/);
    expect(() => broadcastShapes("core/add", [addDims(tokens, 1)], [tokens])).toThrow(/tokens\+1/);
  });

  it("tells stretched axes from missing ones", () => {
    expect(stretchedAxes([1, 3], [2, 5, 3])).toEqual([
      { axis: 0, missing: true },
      { axis: 1, missing: false },
    ]);
    expect(stretchedAxes([batch, 1], [batch, 1])).toEqual([]);
  });
});
