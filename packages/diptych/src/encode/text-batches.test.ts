import { symbolDim, type Encoder } from "@diptych/core";
import { describe, expect, it } from "vitest";
import { planTextBatches, tokenRows } from "./text-batches.js";

const encoderOf = (tokens: number | "any"): Encoder =>
  ({
    inputs: [
      {
        name: "text",
        shape: [symbolDim("textBatch"), tokens === "any" ? symbolDim("textTokens") : tokens],
        dtype: "int32",
      },
    ],
  }) as unknown as Encoder;

describe("planTextBatches", () => {
  it("puts texts of like length together, the longest first, each once", () => {
    expect(planTextBatches(Int32Array.of(3, 9, 4, 9, 1), 2)).toEqual([[1, 3], [2, 0], [4]]);
    expect(planTextBatches(new Int32Array(0), 2)).toEqual([]);
  });
});

describe("tokenRows", () => {
  const tokens = {
    ids: Int32Array.from({ length: 16 }, (_, i) => i),
    lengths: Int32Array.of(3, 6),
    batch: 2,
    contextLength: 8,
  };

  it("cuts to the longest of a batch, in steps, for towers of any length", () => {
    const rows = tokenRows(encoderOf("any"), tokens, [0]);
    expect([rows.shape, [...rows.data]]).toEqual([
      [1, 4],
      [0, 1, 2, 3],
    ]);
    expect(tokenRows(encoderOf("any"), tokens, [1, 0]).shape).toEqual([2, 8]);
  });

  it("keeps the context for towers of fixed length", () => {
    const rows = tokenRows(encoderOf(8), tokens, [1]);
    expect([...rows.data]).toEqual([8, 9, 10, 11, 12, 13, 14, 15]);
  });
});
