/** What WebAssembly does otherwise: kernels that it lacks or that are wrong, and ways around those that are slow there. */
import type { PrimitiveAttrs } from "@diptych/core/backend";
import { convolutionsBy, KERNEL_CONVOLUTIONS, type GroupConvolutions } from "./convolution.js";
import { ELEMENTWISE } from "./elementwise.js";
import { sizeOf, type Kernels, type Tensor } from "./kernels.js";
import { operand, resultOf, type Lowering, type LoweringOverrides } from "./lowering.js";
import { batchMatMul, matmulBy, type BatchProduct } from "./matmul.js";
import { REDUCTION } from "./reduction.js";

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

/** Rows of up to this many entries are added up in one float32. */
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
  if (dtype !== "float32" || length <= CHUNK || sizeOf(x) === 0)
    return REDUCTION.sum(call, kernels);
  const kept = x.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  const rows = kernels.reshape(kernels.transpose(x, [...kept, ...axes]), [
    sizeOf({ shape }),
    length,
  ]);
  return kernels.reshape(rowSums(rows, kernels), shape);
};

/** Sizes under which the data of right operands were multiplied before. */
const packedAs = new WeakMap<object, string>();

/**
 * b, or a copy of it. The kernel packs right operands and finds them again by their data alone: under another shape (a
 * reshape shares data) it would take the packed form of the first.
 */
function packable(b: Tensor, kernels: Kernels): Tensor {
  const sizes = b.shape.slice(1).join();
  const before = packedAs.get(b.dataId);
  packedAs.set(b.dataId, before ?? sizes);
  if (before === undefined || before === sizes) return b;
  return kernels.run("Identity", { x: b });
}

/** The kernel's flags take a scalar path, ten times as slow as turning the operand first. */
const product: BatchProduct = (a, b, { transposeA, transposeB }, kernels) => {
  const turned = (x: Tensor, turn: boolean): Tensor => (turn ? kernels.transpose(x, [0, 2, 1]) : x);
  const right = packable(turned(b, transposeB), kernels);
  const flags = { transposeA: false, transposeB: false };
  return batchMatMul(turned(a, transposeA), right, flags, kernels);
};

/** dW at each tap of the filter: the window of x that the tap sees, against dy. There is no kernel. */
const filterGradient: GroupConvolutions["filterGradient"] = (
  [x, dy],
  [height, width, inputs, outputs],
  { strides, padding: [top, left, bottom, right] },
  kernels,
) => {
  const [count, rows, columns, channels] = x.shape as [number, number, number, number];
  const [, outRows, outColumns] = dy.shape as [number, number, number];
  const padded = kernels.pad(
    x,
    [0, top, left, 0],
    [count, top + rows + bottom, left + columns + right, channels],
  );
  const cotangent = kernels.reshape(dy, [1, count * outRows * outColumns, outputs!]);
  const taps = Array.from({ length: height! * width! }, (_, tap) => {
    const begin = [0, Math.floor(tap / width!), tap % width!, 0];
    const seen = kernels.window(padded, begin, {
      strides,
      size: [count, outRows, outColumns, channels],
    });
    const entries = kernels.reshape(seen, [1, count * outRows * outColumns, channels]);
    return product(entries, cotangent, { transposeA: true, transposeB: false }, kernels);
  });
  return kernels.reshape(kernels.concat(taps, 0), [height!, width!, inputs!, outputs!]);
};

export const WASM_OVERRIDES: LoweringOverrides = {
  select,
  sum,
  matmul: matmulBy(product),
  ...convolutionsBy({ ...KERNEL_CONVOLUTIONS, filterGradient }),
};
