import { describe, expect, it } from "vitest";
import { shapeOf } from "../graph/node.js";
import { broadcast } from "../ops/primitives/layout.js";
import { input } from "../ops/primitives/leaves.js";
import { symbolDim } from "../tensor/dim.js";
import { evaluateShape, type Shape } from "../tensor/shape.js";
import { numbersOf, scattered } from "./numbers.test-support.js";
import { unbroadcast } from "./unbroadcast.js";

const batch = symbolDim("batch");
const tokens = symbolDim("tokens");
const binding = { batch: 2, tokens: 3 };

describe("unbroadcast", () => {
  it.each<[string, Shape, Shape]>([
    ["nothing stretched", [batch, 3], [batch, 3]],
    ["a missing axis", [3], [batch, 3]],
    ["two missing axes", [4], [batch, tokens, 4]],
    ["a leading 1", [1, tokens, 4], [batch, tokens, 4]],
    ["a missing axis and a leading 1", [1, 4], [batch, tokens, 4]],
    ["a 1 inside", [batch, 1, 4], [batch, tokens, 4]],
    ["a 1 at the end", [batch, tokens, 1], [batch, tokens, 4]],
    ["missing axes and a 1 inside", [2, 1, 2], [batch, 2, tokens, 2]],
    ["a scalar", [], [batch, tokens]],
    ["one entry of one axis", [1], [batch, tokens]],
    ["a 1 that stays 1", [1, 4], [1, 4]],
    ["a missing 1", [4], [1, 4]],
    ["missing 1s and a missing axis", [4], [1, batch, 1, 4]],
  ])("is the transpose of broadcasting: %s", (_, from, to) => {
    const x = input("x", from);
    const y = input("y", to);
    const summed = unbroadcast(y, from);
    expect(shapeOf(summed)).toEqual(from);
    const size = (shape: Shape): number => evaluateShape(shape, binding).reduce((a, b) => a * b, 1);
    const feeds = { x: scattered(size(from), 1), y: scattered(size(to), 2) };
    const [wide, narrow] = numbersOf([broadcast(x, to), summed], feeds, binding);
    // ⟨broadcast x, y⟩ = ⟨x, unbroadcast y⟩
    const dot = (a: readonly number[], b: readonly number[]): number =>
      a.reduce((total, value, i) => total + value * b[i]!, 0);
    expect(narrow).toHaveLength(feeds.x.length);
    expect(dot(feeds.x, narrow!)).toBeCloseTo(dot(wide!, feeds.y), 12);
  });
});
