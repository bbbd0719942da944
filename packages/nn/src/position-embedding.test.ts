import { normal } from "@diptych/core";
import { describe, expect, it } from "vitest";
import { buildPositionEmbedding, buildSinCosPositions, sinCos2d } from "./position-embedding.js";
import { difference, inputNumbers, runLayer } from "./run-layer.test-support.js";

describe("buildPositionEmbedding", () => {
  it("adds the first rows and does not decay", () => {
    const inputs = { x: [2, 2, 3] };
    const { outputs, values, specs } = runLayer(
      (c, { x }) => buildPositionEmbedding(c, x!, { contextLength: 4, init: normal(0.01) }),
      { inputs },
    );
    const x = inputNumbers(inputs)["x"]!.data;
    const table = values["positional_embedding"]!;
    expect(
      difference(
        outputs[0]!.data,
        x.map((v, i) => v + table[i % 6]!),
      ),
    ).toBeLessThan(1e-15);
    expect(specs).toMatchObject([
      { name: "positional_embedding", shape: [4, 3], weightDecay: false },
    ]);
  });

  it("refuses more tokens than rows", () => {
    expect(() =>
      runLayer((c, { x }) => buildPositionEmbedding(c, x!, { contextLength: 4, init: normal(1) }), {
        inputs: { x: [1, 5, 2] },
      }),
    ).toThrow(/expected at most 4 tokens, got 5/);
  });
});

describe("sinCos2d", () => {
  it("encodes columns first, then rows", () => {
    const table = sinCos2d(8, 2, 3);
    const at = (row: number, column: number): number[] => [
      ...table.slice((row * 3 + column) * 8, (row * 3 + column + 1) * 8),
    ];
    const [slow, fast] = [0.01, 1];
    expect(difference(at(0, 0), [0, 0, 1, 1, 0, 0, 1, 1])).toBe(0);
    const expected = [2 * fast, 2 * slow]
      .map(Math.sin)
      .concat(
        [2 * fast, 2 * slow].map(Math.cos),
        [fast, slow].map(Math.sin),
        [fast, slow].map(Math.cos),
      );
    expect(difference(at(1, 2), expected)).toBeLessThan(1e-7);
  });

  it("is a buffer with zeros for the prefix", () => {
    const { specs } = runLayer(
      (c, { x }) => buildSinCosPositions(c, x!, { gridHeight: 2, gridWidth: 2, prefixTokens: 1 }),
      { inputs: { x: [1, 5, 4] } },
    );
    expect(specs).toMatchObject([{ name: "positional_embedding", role: "buffer", shape: [5, 4] }]);
    const { initializer } = specs[0]!;
    expect(initializer.kind === "values" && [...initializer.values.slice(0, 8)]).toEqual([
      0, 0, 0, 0, 0, 1, 0, 1,
    ]);
  });

  it("says which width fits", () => {
    expect(() => sinCos2d(6, 1, 1)).toThrow(/expected a multiple of 4 .*got 6. Try 8/);
  });
});
