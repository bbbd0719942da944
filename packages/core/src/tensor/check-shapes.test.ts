import { describe, expect, expectTypeOf, it } from "vitest";
import { input } from "../ops/primitives/leaves.js";
import { checkShapes } from "./check-shapes.js";
import { addDims, mulDims, symbolDim, type Dim } from "./dim.js";

const batch = symbolDim("batch");
const tokens = symbolDim("tokens");

describe("checkShapes", () => {
  it("binds names to sizes and types them", () => {
    const image = input("image", [batch, 512]);
    const bound = checkShapes("losses/info-nce", [image, "image", ["batch", "embedDim"]]);
    expect(bound).toEqual({ batch, embedDim: 512 });
    expectTypeOf(bound).toEqualTypeOf<Readonly<Record<"batch" | "embedDim", Dim>>>();
  });

  it("names the value that bound a size and the one that differs", () => {
    const image = input("image", [batch, 512]);
    const text = input("text", [symbolDim("textBatch"), 512]);
    expect(() =>
      checkShapes(
        "losses/info-nce",
        [image, "image", ["batch", "embedDim"]],
        [text, "text", ["batch", "embedDim"]],
      ),
    ).toThrow(
      /losses\/info-nce: text: expected \[batch, embedDim\], got \[textBatch, 512\] \(batch is batch as in image, got textBatch\)/,
    );
  });

  it("checks numbers, ranks and polynomials over names", () => {
    const x = input("x", [batch, addDims(tokens, 1), 24]);
    const positions = input("positions", [tokens, 8]);
    const good = checkShapes(
      "nn/test",
      [positions, "positions", ["tokens", "width"]],
      [x, "x", ["batch", "tokens+1", "3*width"]],
    );
    expect(good).toEqual({ tokens, width: 8, batch });
    expect(() => checkShapes("nn/test", [x, "x", ["batch", "tokens", 8]])).toThrow(
      /x: expected \[batch, tokens, 8\], got \[batch, tokens\+1, 24\] \(8 is 8, got 24\)/,
    );
    expect(() => checkShapes("nn/test", [x, "x", ["a", "b"]])).toThrow(/\(2 axes, got 3\)/);
    expect(() =>
      checkShapes(
        "nn/test",
        [positions, "positions", ["tokens", "width"]],
        [x, "x", ["batch", "tokens", "3*width"]],
      ),
    ).toThrow(/tokens is tokens as in positions, got tokens\+1/);
    expect(() => checkShapes("nn/test", [x, "x", ["batch", "tokens+1", 24]])).toThrow(
      /expected names bound before they are used, got "tokens" in "tokens\+1"/,
    );
  });

  it("leaves leading axes open", () => {
    const x = input("x", [batch, tokens, 8]);
    expect(checkShapes("nn/linear", [x, "x", ["...", "inputs"]])).toEqual({ inputs: 8 });
    expect(() => checkShapes("nn/linear", [x, "x", ["...", "a", "b", "c", "d"]])).toThrow(
      /at least 4 axes, got 3/,
    );
  });

  it("multiplies out products of names", () => {
    const x = input("x", [mulDims(batch, tokens), batch, tokens]);
    const flat = input("flat", [mulDims(tokens, batch)]);
    expect(() => checkShapes("t", [x, "x", [mulDims(1, 1) as number, "batch", "tokens"]])).toThrow(
      /1 is 1, got batch\*tokens/,
    );
    expect(
      checkShapes("t", [x, "x", ["rows", "batch", "tokens"]], [flat, "flat", ["batch*tokens"]]),
    ).toMatchObject({ batch, tokens });
  });
});
