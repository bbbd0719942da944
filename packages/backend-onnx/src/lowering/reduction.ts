/** Lowerings of reductions. */
import { hostTensorFrom, isSymbolic, shapeSize, type DType, type Shape } from "@diptych/core";
import type { PrimitiveAttrs } from "@diptych/core/backend";
import { ONNX_TYPE_NUMBERS } from "../model-proto/onnx-model.js";
import { expandTo, reshapeTo } from "./layout.js";
import { operand, resultType, type Lowering, type LoweringContext } from "./lowering.js";
import type { Name } from "./onnx-builder.js";

/** A reduction over `axes`; over none it is x itself (which ONNX writes as "all"). */
export function reduce(
  op: string,
  x: Name,
  { axes, keepDims }: { axes: readonly number[]; keepDims: boolean },
  { onnx }: LoweringContext,
): Name {
  if (axes.length === 0) return x;
  return onnx.node(op, [x, onnx.ints(axes)], { keepdims: keepDims ? 1 : 0 });
}

/** From this many rows on a product with a row of ones is faster than ReduceSum over the first axis. */
const ROWS_FOR_PRODUCT = 64;

/** Rows and columns where the reduced axes are the first ones. */
function leadingRows(shape: Shape, axes: readonly number[]): number | undefined {
  const leading = axes.every((axis, i) => axis === i) && axes.length < shape.length;
  const rows = shapeSize(shape.slice(0, axes.length));
  const columns = shapeSize(shape.slice(axes.length));
  const numbers = leading && !isSymbolic(rows) && !isSymbolic(columns);
  return numbers && rows >= ROWS_FOR_PRODUCT && columns > 1 ? rows : undefined;
}

const sum: Lowering<PrimitiveAttrs["sum"]> = (node, context) => {
  const { name, shape, dtype } = operand(node, 0);
  const rows = dtype === "float32" ? leadingRows(shape, node.attrs.axes) : undefined;
  if (rows === undefined) return reduce("ReduceSum", name, node.attrs, context);
  const columns = shapeSize(shape.slice(node.attrs.axes.length));
  const flat = reshapeTo(name, shape, [rows, columns], context);
  const ones = context.onnx.constant(
    hostTensorFrom("float32", [1, rows], new Array<number>(rows).fill(1)),
  );
  const product = context.onnx.node("MatMul", [ones, flat]);
  return reshapeTo(product, [1, columns], resultType(node).shape, context);
};

/** Where kernels start from the least finite number. */
const LEAST_FLOAT32 = -3.4028234663852886e38;

/** Of halves, the least of which a kernel that starts from the least number does not take for it; −∞ it does. */
function maximum(
  { name, dtype }: { readonly name: Name; readonly dtype: DType },
  attrs: { axes: readonly number[]; keepDims: boolean },
  context: LoweringContext,
): Name {
  const { onnx } = context;
  const isExact = dtype !== "float32" || onnx.target.infinities || attrs.axes.length === 0;
  if (isExact) return reduce("ReduceMax", name, attrs, context);
  const half = onnx.node("Mul", [name, onnx.scalar(dtype, 0.5)]);
  const found = reduce("ReduceMax", half, attrs, context);
  const isLeast = onnx.node("Equal", [found, onnx.scalar(dtype, LEAST_FLOAT32)]);
  const doubled = onnx.node("Mul", [found, onnx.scalar(dtype, 2)]);
  return onnx.node("Where", [isLeast, onnx.scalar(dtype, -Infinity), doubled]);
}

const LEAST_INT32 = -(2 ** 31);

const reduceMax: Lowering<PrimitiveAttrs["reduceMax"]> = (node, context) => {
  const { shape, dtype } = operand(node, 0);
  const { onnx } = context;
  const isEmpty = node.attrs.axes.some((axis) => shape[axis] === 0);
  if (!isEmpty || onnx.target.emptyKernels) return maximum(operand(node, 0), node.attrs, context);
  const least = onnx.scalar(dtype, dtype === "int32" ? LEAST_INT32 : -Infinity);
  return expandTo(least, [], resultType(node).shape, context);
};

const argmax: Lowering<PrimitiveAttrs["argmax"]> = (node, { onnx }) => {
  const position = onnx.node("ArgMax", node.inputs, { axis: node.attrs.axis, keepdims: 0 });
  return onnx.node("Cast", [position], { to: ONNX_TYPE_NUMBERS.int32 });
};

export const REDUCTION_LOWERINGS = { sum, reduceMax, argmax };
