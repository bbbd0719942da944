/** Products of matrices on WebAssembly: one after the other on XNNPACK, right operands as it wants them. */
import { elementCount } from "@diptych/core";
import type { PrimitiveAttrs } from "@diptych/core/backend";
import { sizeOf, type Kernels, type Tensor } from "./kernels.js";
import { operand, type Lowering } from "./lowering.js";
import { batchMatMul, matmulBy, type BatchProduct } from "./matmul.js";

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

/**
 * The kernel's flags take a scalar path, ten times as slow as turning the operand first. What XNNPACK packs of one right
 * operand stays packed as long as that lives; of an activation, on the right of a turned one, that would be memory for
 * nothing.
 */
const product: BatchProduct = (a, b, { transposeA, transposeB }, kernels) => {
  const turned = (x: Tensor, turn: boolean): Tensor => (turn ? kernels.transpose(x, [0, 2, 1]) : x);
  const [left, right] = [turned(a, transposeA), turned(b, transposeB)];
  const [count, rows, inner] = left.shape as [number, number, number];
  const [countB, , columns] = right.shape as [number, number, number];
  if (countB !== 1) return kernels.run("BatchProduct", { a: left, b: right });
  const all = kernels.reshape(left, [1, count * rows, inner]);
  const flags = { transposeA: false, transposeB: false };
  const result = transposeA
    ? kernels.run("BatchProduct", { a: all, b: right })
    : batchMatMul(all, packable(right, kernels), flags, kernels);
  return kernels.reshape(result, [count, rows, columns]);
};

const general = matmulBy(product);

/** Bytes of tensors up to which turned weights are kept: with them goes as much again, packed, outside of the count. */
const KEPT_LIMIT = 1.5 * 2 ** 30;

/** A matrix on the right is turned, and packed, once for as long as it lives: once in all, where it is a constant. */
export const matmul: Lowering<PrimitiveAttrs["matmul"]> = (call, kernels) => {
  const [a, b] = [operand(call, 0), operand(call, 1)];
  const { shape } = b;
  const single = elementCount(shape.slice(0, -2)) === 1 && sizeOf(b) > 0;
  const bytes = sizeOf(b) * Float32Array.BYTES_PER_ELEMENT;
  if (!call.attrs.transposeB || !single || kernels.core.memory().numBytes + bytes > KEPT_LIMIT)
    return general(call, kernels);
  const last = shape.length - 1;
  const permutation = shape.map((_, axis) => (axis < last - 1 ? axis : 2 * last - 1 - axis));
  const turned = call.derive(1, "turned", () =>
    kernels.own(() => kernels.transpose(b, permutation)),
  );
  const attrs = { ...call.attrs, transposeB: false };
  return general({ ...call, inputs: [a, turned], attrs }, kernels);
};
