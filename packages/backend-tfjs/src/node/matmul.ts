/** The matrix product: transposes are flags of the kernel, stacks are one call, one matrix for a whole stack is flattened. */
import { elementCount } from "@diptych/core";
import type { PrimitiveAttrs } from "@diptych/core/backend";
import { operand, resultOf, type TfLowering } from "./lowering.js";
import { boolAttr, typeAttr } from "./tf-binding.js";
import type { TfOps, TfTensor } from "./tf-ops.js";

export interface ProductOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly tf: TfOps;
}

/**
 * a·b of two matrices. Not by TensorFlow's MatMul: under a profiler's signals the process then ended with a corrupted heap
 * inside of that kernel (2.18, oneDNN on AVX-512, [576, 128]·[128, 128] among others). Why is not known; with the kernel
 * for stacks, which is as fast, it was not seen again.
 */
export function product(a: TfTensor, b: TfTensor, options: ProductOptions): TfTensor {
  const { transposeA = false, transposeB = false, tf } = options;
  const shape = [a.shape[transposeA ? 1 : 0] ?? 1, b.shape[transposeB ? 0 : 1] ?? 1];
  return stackProduct(a, b, { transposeA, transposeB, shape, tf });
}

function stackProduct(
  a: TfTensor,
  b: TfTensor,
  {
    transposeA = false,
    transposeB = false,
    shape,
    tf,
  }: ProductOptions & {
    readonly shape: readonly number[];
  },
): TfTensor {
  const { dtype } = a;
  const attrs = [
    boolAttr("adj_x", transposeA),
    boolAttr("adj_y", transposeB),
    typeAttr("T", dtype),
  ];
  return tf.call("BatchMatMulV2", [a, b], { attrs, dtype, shape });
}

const matmul: TfLowering<PrimitiveAttrs["matmul"]> = (call, tf) => {
  const [a, b] = [operand(call, 0), operand(call, 1)];
  const { transposeA, transposeB } = call.attrs;
  const { shape, dtype } = resultOf(call);
  // An empty sum is 0, which not every kernel knows.
  if ((a.shape.at(transposeA ? -2 : -1) ?? 1) === 0)
    return tf.broadcast(tf.number(0, dtype), shape);
  if (a.shape.length === 2 && b.shape.length === 2)
    return product(a, b, { transposeA, transposeB, tf });
  if (b.shape.length === 2 && !transposeA) {
    const width = a.shape.at(-1) ?? 1;
    const rows = tf.reshape(a, [elementCount(a.shape.slice(0, -1)), width]);
    return tf.reshape(product(rows, b, { transposeB, tf }), shape);
  }
  return stackProduct(a, b, { transposeA, transposeB, shape, tf });
};

export const MATMUL_LOWERINGS = { matmul };
