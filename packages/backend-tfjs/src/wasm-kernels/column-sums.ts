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
  for (let row = 0, at = 0; row < rows; row++)
    for (let column = 0; column < columns; column++, at++)
      sums[column] = sums[column]! + values[at]!;
  floatsOf(backend, y).set(sums);
  return y;
};
