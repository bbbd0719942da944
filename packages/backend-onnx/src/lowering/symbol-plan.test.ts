import { addDims, input, mulDims, parseDim, subDims, symbolDim, type Dim } from "@diptych/core";
import { expect, it } from "vitest";
import { planSymbols, solveSymbols } from "./symbol-plan.js";

const plan = (shapes: Readonly<Record<string, readonly Dim[]>>): ReturnType<typeof planSymbols> =>
  planSymbols(Object.entries(shapes).map(([name, shape]) => input(name, shape)));

const [n, t] = [symbolDim("n"), symbolDim("t")];

it("reads a symbol off the plainest axis", () => {
  const sources = plan({ a: [mulDims(12, n), 3], b: [5, n] });
  expect(sources).toMatchObject([{ symbol: "n", input: "b", axis: 1, coefficient: 1, rest: 0 }]);
  expect(solveSymbols(sources, (name) => ({ a: [24, 3], b: [5, 2] })[name] ?? [])).toEqual({
    n: 2,
  });
});

it("solves linear axes, also with symbols that others tell", () => {
  const sources = plan({
    a: [addDims(mulDims(n, t), mulDims(3, symbolDim("m")))],
    b: [addDims(n, 1)],
    c: [subDims(77, t)],
  });
  const sizes: Readonly<Record<string, readonly number[]>> = { a: [2 * 70 + 15], b: [3], c: [7] };
  expect(solveSymbols(sources, (name) => sizes[name] ?? [])).toEqual({ n: 2, t: 70, m: 5 });
});

it("leaves symbols out that no axis tells", () => {
  expect(plan({ a: [mulDims(n, t)] })).toEqual([]);
  expect(plan({ a: [parseDim("n*n")] })).toEqual([]);
});

it("refuses sizes without a whole solution", () => {
  const sources = plan({ a: [addDims(mulDims(2, n), 1)] });
  for (const size of [4, 0]) {
    expect(() => solveSymbols(sources, () => [size])).toThrow(
      `input "a": expected axis 0 to be 2*n+1 for a whole n of at least 0, got ${size}`,
    );
  }
});
