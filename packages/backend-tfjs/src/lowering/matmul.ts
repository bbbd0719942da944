/** Products of matrices, one or many. */
import { elementCount, equalShapes } from "@diptych/core";
import type { PrimitiveAttrs } from "@diptych/core/backend";
import { sizeOf, type Kernels, type Tensor } from "./kernels.js";
import { operand, resultOf, type Lowering } from "./lowering.js";

/** How the last two axes of both operands are read. */
export interface Flags {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** A product of operands [count, rows, columns] each; one with count 1 serves all of the other. */
export type BatchProduct = (a: Tensor, b: Tensor, flags: Flags, kernels: Kernels) => Tensor;

/**
 * The lowering of `matmul` by an engine's product of three axes. Rows of all batches against one matrix are one product;
 * batch axes that stretch both ways are written out.
 */
export function matmulBy(product: BatchProduct): Lowering<PrimitiveAttrs["matmul"]> {
  return (call, kernels) => {
    const { shape, dtype } = resultOf(call);
    const [a, b] = [operand(call, 0), operand(call, 1)];
    if (sizeOf(a) === 0 || sizeOf(b) === 0) return kernels.fill(shape, 0, dtype);
    const result = stacked([a, b], { flags: call.attrs, product, kernels });
    return kernels.reshape(result, shape);
  };
}

function stacked(
  [a, b]: readonly [Tensor, Tensor],
  {
    flags,
    product,
    kernels,
  }: { readonly flags: Flags; readonly product: BatchProduct; readonly kernels: Kernels },
): Tensor {
  const [batchA, batchB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const [countA, countB] = [elementCount(batchA), elementCount(batchB)];
  const matrix = (x: Tensor): readonly number[] => x.shape.slice(-2);
  if (countB === 1 && !flags.transposeA) {
    const [rows, inner] = matrix(a) as [number, number];
    const left = kernels.reshape(a, [1, countA * rows, inner]);
    return product(left, kernels.reshape(b, [1, ...matrix(b)]), flags, kernels);
  }
  if (countA === 1 || countB === 1 || equalShapes(batchA, batchB)) {
    const left = kernels.reshape(a, [countA, ...matrix(a)]);
    return product(left, kernels.reshape(b, [countB, ...matrix(b)]), flags, kernels);
  }
  const rank = Math.max(batchA.length, batchB.length);
  const size = (batch: readonly number[], axis: number): number =>
    batch[batch.length - rank + axis] ?? 1;
  const batch = Array.from({ length: rank }, (_, axis) =>
    size(batchA, axis) === 1 ? size(batchB, axis) : size(batchA, axis),
  );
  const count = elementCount(batch);
  const [left, right] = [a, b].map((x) =>
    kernels.reshape(kernels.broadcast(x, [...batch, ...matrix(x)]), [count, ...matrix(x)]),
  ) as [Tensor, Tensor];
  return product(left, right, flags, kernels);
}

/** The kernel's own product. */
export const batchMatMul: BatchProduct = (a, b, { transposeA, transposeB }, kernels) =>
  kernels.run("BatchMatMul", { a, b }, { transposeA, transposeB });
