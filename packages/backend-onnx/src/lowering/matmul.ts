/** Lowering of the matrix product. */
import {
  addDims,
  broadcastShapes,
  equalShapes,
  isSymbolic,
  type Dim,
  type Shape,
} from "@diptych/core";
import type { PrimitiveAttrs } from "@diptych/core/backend";
import { CONTRIB_DOMAIN } from "../model-proto/onnx-model.js";
import { expandTo, padTo, reshapeTo, transposeTo } from "./layout.js";
import { operand, type Lowering, type LoweringContext } from "./lowering.js";
import type { Name } from "./onnx-builder.js";

/** A matrix or a stack of them, to be read with the last two axes swapped or as it is. */
export interface Factor {
  readonly name: Name;
  readonly shape: Shape;
  readonly transposed: boolean;
}

/** A row or a column is transposed by naming it otherwise. */
function withoutVectorTranspose(factor: Factor, context: LoweringContext): Factor {
  const { name, shape, transposed } = factor;
  const [rows, columns] = shape.slice(-2);
  if (!transposed || rows === undefined || columns === undefined) return factor;
  if (rows !== 1 && columns !== 1) return factor;
  const swapped = [...shape.slice(0, -2), columns, rows];
  return { name: reshapeTo(name, shape, swapped, context), shape: swapped, transposed: false };
}

/**
 * ONNX Runtime refuses to stretch one factor of a product to a batch of size 0. Where that may come, the factor is
 * stretched before; a plain matrix on the right is applied to all rows and needs no stretching.
 */
function stretchOpenBatch(
  a: Factor,
  b: Factor,
  context: LoweringContext,
): readonly [Factor, Factor] {
  const plain = b.shape.length === 2 && !a.transposed && !b.transposed;
  const [own, other] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const batch = broadcastShapes("backend-onnx/matmul", own, other);
  if (plain || !batch.some(isSymbolic)) return [a, b];
  const stretch = (factor: Factor): Factor => {
    const shape = [...batch, ...factor.shape.slice(-2)];
    if (equalShapes(shape, factor.shape)) return factor;
    return { ...factor, name: expandTo(factor.name, factor.shape, shape, context), shape };
  };
  return [stretch(a), stretch(b)];
}

/** FusedMatMul stretches axes of size 1, but misreads operands of fewer axes. */
function withRank({ name, shape }: Factor, rank: number, context: LoweringContext): Name {
  const missing = Array.from({ length: rank - shape.length }, () => 1);
  return reshapeTo(name, shape, [...missing, ...shape], context);
}

function transposeMatrices({ name, shape, transposed }: Factor, context: LoweringContext): Name {
  if (!transposed) return name;
  const axes = shape.map((_, axis) => axis);
  const last = axes.length - 1;
  return transposeTo(name, [...axes.slice(0, -2), last, last - 1], context);
}

/** From these sizes on, writing a transposed operand costs less than Gemm loses by reading it transposed. */
const LARGE = { sides: 512, inner: 1024 } as const;

/** aᵀ·b for large matrices [inner, rows] and [inner, columns]. */
function transposedProduct(a: Factor, b: Factor, context: LoweringContext): Name | undefined {
  const [inner = 0, rows = 0] = a.shape;
  const [, columns = 0] = b.shape;
  if (isSymbolic(inner) || isSymbolic(rows) || isSymbolic(columns)) return undefined;
  if (Math.min(rows, columns) < LARGE.sides || inner < LARGE.inner) return undefined;
  const { onnx } = context;
  if (rows <= columns) return onnx.node("MatMul", [transposeTo(a.name, [1, 0], context), b.name]);
  // The smaller operand is transposed, and then the result: (bᵀ·a)ᵀ.
  const product = onnx.node("MatMul", [transposeTo(b.name, [1, 0], context), a.name]);
  return transposeTo(product, [1, 0], context);
}

/** The axis over which a factor is summed: the last one of the left factor, unless that is transposed. */
function innerAxis({ shape, transposed }: Factor, side: "left" | "right"): number {
  const isLast = (side === "left") !== transposed;
  return shape.length - (isLast ? 1 : 2);
}

/** The product over no entries: zeros. */
function emptyProduct(a: Factor, b: Factor, context: LoweringContext): Name {
  const rows = a.shape[a.transposed ? a.shape.length - 1 : a.shape.length - 2] ?? 1;
  const columns = b.shape[b.transposed ? b.shape.length - 2 : b.shape.length - 1] ?? 1;
  const batch = broadcastShapes("backend-onnx/matmul", a.shape.slice(0, -2), b.shape.slice(0, -2));
  const zero = context.onnx.scalar(context.float, 0);
  return expandTo(zero, [], [...batch, rows, columns], context);
}

/** A factor with one more inner entry, 0, so that there is one. */
function withEntry(factor: Factor, side: "left" | "right", context: LoweringContext): Factor {
  const { name, shape: from } = factor;
  const axis = innerAxis(factor, side);
  const shape = from.map((dim, i): Dim => (i === axis ? addDims(dim, 1) : dim));
  const zero = context.onnx.scalar(context.float, 0);
  const begins = from.map(() => 0);
  return { ...factor, name: padTo(name, { from, begins, shape, zero }, context), shape };
}

/**
 * The product. Where kernels end the process on an inner axis of size 0 (a division by it), one that is known to be is
 * written out, and one that may be gets another entry.
 */
export function multiply(left: Factor, right: Factor, context: LoweringContext): Name {
  if (context.onnx.target.emptyKernels) return multiplyEntries(left, right, context);
  const inner = left.shape[innerAxis(left, "left")] ?? 1;
  if (inner === 0) return emptyProduct(left, right, context);
  if (!isSymbolic(inner)) return multiplyEntries(left, right, context);
  const [a, b] = [withEntry(left, "left", context), withEntry(right, "right", context)];
  return multiplyEntries(a, b, context);
}

/**
 * The product of what has entries. Matrices are transposed inside Gemm (11 to 18 % slower than MatMul for large aᵀ·b, as fast for a·bᵀ),
 * stacks of them inside FusedMatMul where the target has it: writing a transposed stack costs as much as half of an
 * attention product.
 */
function multiplyEntries(left: Factor, right: Factor, context: LoweringContext): Name {
  const [first, second] = stretchOpenBatch(left, right, context);
  const [a, b] = [withoutVectorTranspose(first, context), withoutVectorTranspose(second, context)];
  const { onnx } = context;
  if (!a.transposed && !b.transposed) return onnx.node("MatMul", [a.name, b.name]);
  const flags = { transA: a.transposed ? 1 : 0, transB: b.transposed ? 1 : 0 };
  if (a.shape.length === 2 && b.shape.length === 2) {
    const large = b.transposed ? undefined : transposedProduct(a, b, context);
    return large ?? onnx.node("Gemm", [a.name, b.name], flags);
  }
  if (onnx.target.fusedMatMul) {
    const rank = Math.max(a.shape.length, b.shape.length);
    const names = [a, b].map((factor) => withRank(factor, rank, context));
    return onnx.node("FusedMatMul", names, flags, CONTRIB_DOMAIN);
  }
  return onnx.node("MatMul", [transposeMatrices(a, context), transposeMatrices(b, context)]);
}

const matmul: Lowering<PrimitiveAttrs["matmul"]> = (node, context) => {
  const { transposeA, transposeB } = node.attrs;
  return multiply(
    { ...operand(node, 0), transposed: transposeA },
    { ...operand(node, 1), transposed: transposeB },
    context,
  );
};

export const MATMUL_LOWERINGS = { matmul };
