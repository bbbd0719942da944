/** Sums over the first axis in float64: the engine's kernel wants the axis last, and adds in float32. */
import { floatsOf, inputOf, type WasmKernel } from "./wasm-memory.js";

/** x [rows, columns] → [columns]. */
export const columnSums: WasmKernel = (call) => {
  const { backend } = call;
  const x = inputOf(call, "x");
  const [rows, columns] = x.shape as [number, number];
  const y = backend.makeOutput([columns], "float32");
  const values = floatsOf(backend, x);
  const sums = new Float64Array(columns);
  let at = 0;
  // Four rows at once: a sum is read and written a quarter as often.
  for (let row = 4; row <= rows; row += 4, at += 3 * columns) {
    for (let column = 0; column < columns; column++, at++) {
      const above = values[at]! + values[at + columns]!;
      const below = values[at + 2 * columns]! + values[at + 3 * columns]!;
      sums[column] = sums[column]! + (above + below);
    }
  }
  for (; at < values.length; at += columns)
    for (let column = 0; column < columns; column++)
      sums[column] = sums[column]! + values[at + column]!;
  floatsOf(backend, y).set(sums);
  return y;
};
