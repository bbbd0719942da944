import { describe, expect, it } from "vitest";
import { ShapeError } from "../errors.js";
import { createRandom } from "../random/prng.js";
import {
  addDims,
  bindDim,
  dimSymbols,
  divideDims,
  divideExactly,
  equalDims,
  evaluateDim,
  formatDim,
  isSymbolic,
  mulDims,
  parseDim,
  subDims,
  symbolDim,
  type Dim,
} from "./dim.js";

const batch = symbolDim("batch");
const tokens = symbolDim("tokens");

/** Random polynomials in up to three symbols with small coefficients of either sign. */
function randomDims(count: number, seed: number): Dim[] {
  const random = createRandom(seed);
  const whole = (below: number): number => random.integer(below);
  const names = ["batch", "tokens", "w"];
  return Array.from({ length: count }, () =>
    addDims(
      ...Array.from({ length: 1 + whole(4) }, () =>
        mulDims(
          whole(13) - 6,
          ...Array.from({ length: whole(4) }, () => symbolDim(names[whole(3)]!)),
        ),
      ),
    ),
  );
}

describe("the normal form", () => {
  it.each([
    [() => mulDims(12, batch), "12*batch"],
    [() => addDims(tokens, 1), "tokens+1"],
    [() => subDims(77, tokens), "77-tokens"],
    [() => mulDims(addDims(batch, 1), addDims(batch, -1)), "batch*batch-1"],
    [() => mulDims(tokens, batch, 2), "2*batch*tokens"],
    [() => addDims(1, tokens, mulDims(batch, tokens), batch), "batch*tokens+batch+tokens+1"],
    [() => subDims(1, mulDims(2, batch)), "1-2*batch"],
    [() => mulDims(-1, batch), "-batch"],
  ])("of %o is its text", (make, text) => {
    expect(formatDim(make())).toBe(text);
  });

  it("of a polynomial without symbols is a number, and zero has one form", () => {
    expect(subDims(addDims(batch, 5), batch)).toBe(5);
    expect(subDims(batch, batch)).toBe(0);
    expect(Object.is(mulDims(-1, 0), 0)).toBe(true);
    expect(mulDims()).toBe(1);
    expect(addDims()).toBe(0);
    expect(isSymbolic(batch)).toBe(true);
    expect(isSymbolic(4)).toBe(false);
  });

  it("does not depend on the order of terms and factors", () => {
    expect(equalDims(addDims(batch, tokens), addDims(tokens, batch))).toBe(true);
    expect(equalDims(mulDims(batch, tokens), mulDims(tokens, batch))).toBe(true);
    expect(equalDims(batch, tokens)).toBe(false);
    expect(equalDims(batch, 8)).toBe(false);
  });
});

describe("parseDim", () => {
  it("is the inverse of formatDim", () => {
    for (const dim of randomDims(500, 1)) {
      const text = formatDim(dim);
      expect(equalDims(parseDim(text), dim), text).toBe(true);
      expect(formatDim(parseDim(text))).toBe(text);
    }
  });

  it("takes spaces around operators", () => {
    expect(formatDim(parseDim(" 12 * batch + 1 "))).toBe("12*batch+1");
    expect(parseDim("2*3")).toBe(6);
  });

  it.each(["", " ", "+", "2*", "*2", "2**b", "a b", "1 2", "2batch", "a/b", "--a", "a+-b", "1.5"])(
    "refuses %j",
    (text) => {
      expect(() => parseDim(text)).toThrow(ShapeError);
    },
  );

  it("refuses names that are no identifiers", () => {
    expect(() => symbolDim("image batch")).toThrow(/expected an identifier, got "image batch"/);
    expect(() => symbolDim("")).toThrow(ShapeError);
  });
});

describe("arithmetic", () => {
  it("agrees with integers under every binding", () => {
    const random = createRandom(2);
    const dims = randomDims(300, 3);
    for (let i = 0; i + 1 < dims.length; i += 2) {
      const [a, b] = [dims[i]!, dims[i + 1]!];
      const binding = Object.fromEntries(
        ["batch", "tokens", "w"].map((name) => [name, random.integer(7)]),
      );
      // Shifted, since a size may not be negative.
      const at = (dim: Dim): number => evaluateDim(addDims(dim, 1e6), binding) - 1e6;
      expect(at(addDims(a, b))).toBe(at(a) + at(b));
      expect(at(subDims(a, b))).toBe(at(a) - at(b));
      if (Math.abs(at(a) * at(b)) < 1e6) expect(at(mulDims(a, b))).toBe(at(a) * at(b) + 0);
    }
  });

  it("divides every product by its factor, also by a sum", () => {
    const dims = randomDims(400, 4);
    for (let i = 0; i + 1 < dims.length; i += 2) {
      const [a, b] = [dims[i]!, dims[i + 1]!];
      if (b === 0) continue;
      const quotient = divideExactly(mulDims(a, b), b);
      expect(quotient !== undefined && equalDims(quotient, a), formatDim(b)).toBe(true);
    }
    expect(formatDim(divideDims(mulDims(batch, addDims(tokens, 1)), addDims(tokens, 1)))).toBe(
      "batch",
    );
  });

  it("divides nothing that leaves a remainder for some binding", () => {
    expect(divideExactly(batch, 2)).toBeUndefined();
    expect(divideExactly(7, 2)).toBeUndefined();
    expect(divideExactly(addDims(mulDims(12, batch), 1), 12)).toBeUndefined();
    expect(divideExactly(batch, tokens)).toBeUndefined();
    expect(divideExactly(addDims(batch, 2), addDims(batch, 1))).toBeUndefined();
    expect(divideExactly(batch, mulDims(batch, batch))).toBeUndefined();
    expect(divideExactly(0, 5)).toBe(0);
    expect(() => divideDims(batch, 2)).toThrow(
      /expected 2 to divide batch exactly, got a remainder/,
    );
  });

  it("does not divide by 0, not even 0", () => {
    expect(divideExactly(0, 0)).toBeUndefined();
    expect(divideExactly(batch, 0)).toBeUndefined();
  });
});

describe("bindDim", () => {
  it("replaces the symbols named and keeps the others", () => {
    const dim = addDims(mulDims(2, batch, tokens), batch, 1);
    expect(formatDim(bindDim(dim, { batch: 3 }))).toBe("6*tokens+4");
    expect(bindDim(dim, { batch: 3, tokens: 5 })).toBe(34);
    expect(bindDim(dim, {})).toEqual(dim);
    expect(dimSymbols(dim)).toEqual(["batch", "tokens"]);
    expect(dimSymbols(3)).toEqual([]);
  });

  it("does not take what every object has for a binding", () => {
    expect(formatDim(bindDim(symbolDim("constructor"), {}))).toBe("constructor");
  });

  it("refuses negative results and sizes that are none", () => {
    expect(() => bindDim(subDims(77, tokens), { tokens: 78 })).toThrow(
      /77-tokens: expected a size of at least 0, got -1 \(with {"tokens":78}\)/,
    );
    expect(bindDim(subDims(77, tokens), { tokens: 77 })).toBe(0);
    for (const size of [-1, 1.5, NaN, Infinity])
      expect(() => bindDim(batch, { batch: size })).toThrow(/batch: expected an integer/);
  });

  it("asks for every symbol where a number is needed", () => {
    expect(() => evaluateDim(mulDims(batch, tokens), { batch: 2 })).toThrow(
      /2\*tokens|batch\*tokens.*got none for tokens/,
    );
  });
});
