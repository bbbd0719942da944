import { expect, it } from "vitest";
import { quantizeColumns, quantizeRows, REDUCED_LEVELS, WIDE_LEVELS } from "./quantize-weight.js";

// Columns of sizes 1 and 1000: one scale for both would leave nothing of the first.
const matrix = Float32Array.of(1, -500, -0.5, 1000, 0.25, 250);
const layout = { rows: 3, columns: 2, transposed: false };

it.each([WIDE_LEVELS, REDUCED_LEVELS])("has a scale per column, with %i levels", (levels) => {
  const { codes, scales } = quantizeColumns(matrix, layout, levels);
  expect(scales[0]).toBeCloseTo(1 / levels, 6);
  expect(scales[1]).toBeCloseTo(1000 / levels, 3);
  matrix.forEach((value, i) => {
    const scale = scales[i % 2]!;
    expect(Math.abs(codes[i]!)).toBeLessThanOrEqual(levels);
    expect(Math.abs(codes[i]! * scale - value)).toBeLessThanOrEqual((scale / 2) * (1 + 1e-5));
  });
});

it("reads a transposed matrix as the same", () => {
  const transposed = Float32Array.of(1, -0.5, 0.25, -500, 1000, 250);
  const same = quantizeColumns(transposed, { ...layout, transposed: true }, WIDE_LEVELS);
  expect(same).toEqual(quantizeColumns(matrix, layout, WIDE_LEVELS));
});

it("gives zeros for a column and a row of zeros", () => {
  const { codes, scales } = quantizeColumns(
    Float32Array.of(0, 2, 0, -2),
    { rows: 2, columns: 2, transposed: false },
    127,
  );
  expect([...codes]).toEqual([0, 127, 0, -127]);
  expect(scales[0]).toBe(1);
  expect([...quantizeRows(Float32Array.of(0, 0, 3, -1.5), 2).codes]).toEqual([0, 0, 127, -63]);
});
