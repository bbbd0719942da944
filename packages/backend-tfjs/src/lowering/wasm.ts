/** What WebAssembly does otherwise: kernels that it lacks or that are wrong, and ways around those that are slow there. */
import { equalShapes } from "@diptych/core";
import type { CompositeAttrs, PrimitiveAttrs } from "@diptych/core/backend";
import { ELEMENTWISE } from "./elementwise.js";
import { INDEXING } from "./indexing.js";
import { sizeOf, type Kernels, type Tensor } from "./kernels.js";
import { operand, resultOf, type Lowering, type LoweringOverrides } from "./lowering.js";
import { REDUCTION } from "./reduction.js";
import { WASM_CONVOLUTIONS } from "./wasm-convolution.js";
import { matmul } from "./wasm-matmul.js";

/** The kernel takes booleans for four bytes each, and reads and writes past them. */
const select: Lowering<PrimitiveAttrs["select"]> = (call, kernels) => {
  if (resultOf(call).dtype !== "bool") return ELEMENTWISE.select(call, kernels);
  const [condition, whenTrue, whenFalse] = [0, 1, 2].map((i) => operand(call, i)) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  const chosen = kernels.run("LogicalAnd", { a: condition, b: whenTrue });
  const not = kernels.run("LogicalNot", { x: condition });
  const other = kernels.run("LogicalAnd", { a: not, b: whenFalse });
  return kernels.run("LogicalOr", { a: chosen, b: other });
};

const compare: Lowering<PrimitiveAttrs["compare"]> = (call, kernels) => {
  const [a, b] = [operand(call, 0), operand(call, 1)];
  const { shape } = resultOf(call);
  const alike = equalShapes(a.shape, b.shape) || sizeOf(a) === 1 || sizeOf(b) === 1;
  if (!alike || a.dtype === "bool") return ELEMENTWISE.compare(call, kernels);
  return kernels.run("Compare", { a, b }, { comparison: call.attrs.comparison, shape });
};

/** Up to this many entries are added up in one float32. */
const CHUNK = 256;

/** Sums of rows [rows, length] → [rows]. The kernel adds one entry after the other: long rows are added up in parts. */
function rowSums(x: Tensor, kernels: Kernels): Tensor {
  const [rows, length] = x.shape as [number, number];
  if (length <= CHUNK) return kernels.run("Sum", { x }, { axis: [1], keepDims: false });
  const chunks = Math.floor(length / CHUNK);
  const whole = chunks * CHUNK;
  const main = kernels.reshape(kernels.slice(x, [0, 0], [rows, whole]), [rows * chunks, CHUNK]);
  const parts = kernels.reshape(rowSums(main, kernels), [rows, chunks]);
  if (whole === length) return rowSums(parts, kernels);
  const rest = kernels.slice(x, [0, whole], [rows, length - whole]);
  const restSum = kernels.reshape(rowSums(rest, kernels), [rows, 1]);
  return rowSums(kernels.concat([parts, restSum], 1), kernels);
}

const sum: Lowering<PrimitiveAttrs["sum"]> = (call, kernels) => {
  const x = operand(call, 0);
  const { axes } = call.attrs;
  const { shape, dtype } = resultOf(call);
  const length = axes.reduce((product, axis) => product * x.shape[axis]!, 1);
  if (dtype !== "float32" || length === 1 || sizeOf(x) === 0) return REDUCTION.sum(call, kernels);
  const rows = sizeOf(x) / length;
  if (rows > 1 && axes.every((axis) => axis < axes.length)) {
    const columns = kernels.reshape(x, [length, rows]);
    return kernels.reshape(kernels.run("ColumnSums", { x: columns }), shape);
  }
  const kept = x.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  const moved = kernels.transpose(x, [...kept, ...axes]);
  return kernels.reshape(rowSums(kernels.reshape(moved, [rows, length]), kernels), shape);
};

const gelu: Lowering<CompositeAttrs["gelu"]> = (call, kernels) =>
  kernels.run("Gelu", { x: operand(call, 0) });

const takeAlong: Lowering<PrimitiveAttrs["takeAlong"]> = (call, kernels) => {
  const { axis } = call.attrs;
  return kernels.run("TakeAlong", { x: operand(call, 0), indices: operand(call, 1) }, { axis });
};

const scatterAdd: Lowering<PrimitiveAttrs["scatterAdd"]> = (call, kernels) => {
  if (resultOf(call).dtype === "bool") return INDEXING.scatterAdd(call, kernels);
  const [x, indices, updates] = [0, 1, 2].map((i) => operand(call, i)) as [Tensor, Tensor, Tensor];
  if (sizeOf(updates) === 0) return x;
  return kernels.run("ScatterAdd", { x, indices, updates }, { axis: call.attrs.axis });
};

export const WASM_OVERRIDES: LoweringOverrides = {
  compare,
  select,
  sum,
  gelu,
  takeAlong,
  scatterAdd,
  matmul,
  ...WASM_CONVOLUTIONS,
};
