import { input, matmul, shapeOf } from "@diptych/core";
import { expect, it } from "vitest";
import type { TfCall } from "./lowering.js";
import { MATMUL_LOWERINGS } from "./matmul.js";
import type { TfBinding } from "./tf-binding.js";
import { TfOps, type TfTensor } from "./tf-ops.js";

/** An addon that only writes down which ops it is asked for. */
function recorder(): { readonly tf: TfOps; readonly ops: string[] } {
  const ops: string[] = [];
  const executeOp: TfBinding["executeOp"] = (name) => {
    ops.push(name);
    return [{ id: ops.length + 100, shape: [], dtype: 1 }];
  };
  const binding = { executeOp, createTensor: () => 99, deleteTensor: () => undefined };
  return { tf: new TfOps(binding as unknown as TfBinding), ops };
}

it.each([
  [
    [576, 128],
    [128, 128],
  ],
  [
    [2, 5, 3],
    [3, 4],
  ],
  [
    [2, 5, 3],
    [2, 3, 4],
  ],
])("multiplies %j by %j without TensorFlow's MatMul, which corrupts memory", (left, right) => {
  const { tf, ops } = recorder();
  const y = matmul(input("a", left), input("b", right));
  const operand = (id: number, shape: readonly number[]): TfTensor => ({
    id,
    dtype: "float32",
    shape,
  });
  const call: TfCall<{ transposeA: boolean; transposeB: boolean }> = {
    node: y.node,
    attrs: { transposeA: false, transposeB: false },
    inputs: [operand(1, left), operand(2, right)],
    outputs: [{ dtype: "float32", shape: shapeOf(y) as readonly number[] }],
    sizeOf: (dim) => Number(dim),
    derive: (_index, _key, make) => make(),
  };
  MATMUL_LOWERINGS.matmul(call, tf);
  expect(ops.filter((op) => op !== "Reshape")).toEqual(["BatchMatMulV2"]);
});
