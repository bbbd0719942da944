import { describe, expect, it } from "vitest";
import { ShapeError } from "../errors.js";
import { createGraph } from "../graph/graph.js";
import type { Value } from "../graph/node.js";
import { attention, layerNorm, mean } from "../ops/index.js";
import {
  conv2d,
  conv2dFilterGradient,
  conv2dInputGradient,
  matmul,
} from "../ops/primitives/contraction.js";
import { add } from "../ops/primitives/elementwise.js";
import { input } from "../ops/primitives/leaves.js";
import { symbolDim } from "../tensor/dim.js";
import { countFlops } from "./count-flops.js";

const flopsOf = (value: Value): number => countFlops(createGraph("test", { value }));

describe("countFlops", () => {
  it("counts two for each multiply-add of a matrix product, whichever way it lies", () => {
    const [a, b] = [input("a", [4, 3]), input("b", [3, 5])];
    expect(flopsOf(matmul(a, b))).toBe(2 * 4 * 3 * 5);
    const turned = matmul(input("a", [3, 4]), input("b", [5, 3]), {
      transposeA: true,
      transposeB: true,
    });
    expect(flopsOf(turned)).toBe(2 * 4 * 3 * 5);
    expect(flopsOf(matmul(input("a", [7, 1, 4, 3]), input("b", [2, 3, 5])))).toBe(
      2 * 7 * 2 * 4 * 3 * 5,
    );
  });

  it("counts a convolution and both of its gradients alike, padding included", () => {
    const attrs = { strides: [2, 2], padding: [1, 1, 1, 1], groups: 2 } as const;
    const x = input("x", [3, 4, 8, 8]);
    const filter = input("filter", [6, 2, 3, 3]);
    const dy = input("dy", [3, 6, 4, 4]);
    const expected = 2 * (3 * 6 * 4 * 4) * (2 * 3 * 3);
    expect(flopsOf(conv2d(x, filter, attrs))).toBe(expected);
    expect(flopsOf(conv2dInputGradient(dy, filter, [3, 4, 8, 8], attrs))).toBe(expected);
    expect(flopsOf(conv2dFilterGradient(x, dy, [6, 2, 3, 3], attrs))).toBe(expected);
  });

  it("counts both products of attention", () => {
    const part = (name: string): Value => input(name, [2, 3, 5, 4]);
    const { output } = attention(part("q"), part("k"), part("v"), { causal: true });
    expect(flopsOf(output)).toBe(2 * (2 * 2 * 3 * 5 * 5 * 4));
  });

  it("counts neither sums nor elementwise work, and a shared product once", () => {
    const x = input("x", [4, 3]);
    const { output } = layerNorm(x, input("scale", [3]), input("bias", [3]));
    expect(flopsOf(mean(add(output, x)))).toBe(0);
    const product = matmul(x, input("w", [3, 2]));
    expect(flopsOf(add(product, product))).toBe(2 * 4 * 3 * 2);
  });

  it("counts nothing where an axis is empty", () => {
    expect(flopsOf(matmul(input("a", [0, 3]), input("b", [3, 5])))).toBe(0);
  });

  it("refuses symbols", () => {
    const graph = createGraph("open", {
      y: matmul(input("a", [symbolDim("batch"), 3]), input("b", [3, 5])),
    });
    expect(() => countFlops(graph)).toThrow(ShapeError);
  });
});
