/** Sums and maxima over axes, and where the maximum is. */
import type { PrimitiveAttrs } from "@diptych/core/backend";
import type { OpCall } from "../executor/device.js";
import { sizeOf, type Kernels, type Tensor } from "./kernels.js";
import { operand, resultOf, type ComputedName, type Lowering } from "./lowering.js";

const sum: Lowering<PrimitiveAttrs["sum"]> = (call, kernels) => {
  const { shape, dtype } = resultOf(call);
  const x = operand(call, 0);
  if (sizeOf(x) === 0) return kernels.fill(shape, 0, dtype);
  if (call.attrs.axes.length === 0) return x;
  const axis = [...call.attrs.axes];
  return kernels.reshape(kernels.run("Sum", { x }, { axis, keepDims: false }), shape);
};

const reduceMax = (call: OpCall<Tensor, PrimitiveAttrs["reduceMax"]>, kernels: Kernels): Tensor => {
  const { shape, dtype } = resultOf(call);
  const x = operand(call, 0);
  if (sizeOf(x) === 0)
    return kernels.fill(shape, dtype === "int32" ? -(2 ** 31) : -Infinity, dtype);
  if (call.attrs.axes.length === 0) return x;
  const reductionIndices = [...call.attrs.axes];
  return kernels.reshape(kernels.run("Max", { x }, { reductionIndices, keepDims: false }), shape);
};

const argmax: Lowering<PrimitiveAttrs["argmax"]> = (call, kernels) =>
  kernels.run("ArgMax", { x: operand(call, 0) }, { axis: call.attrs.axis });

export const REDUCTION = {
  sum,
  reduceMax,
  argmax,
} satisfies { readonly [Name in ComputedName]?: Lowering<PrimitiveAttrs[Name]> };
