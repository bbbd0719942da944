/** Lowerings of the composites that ONNX has an operator for, or that take fewer passes over memory there. */
import { hostTensorFrom, isSymbolic, mulDims, shapeSize } from "@diptych/core";
import type { CompositeAttrs } from "@diptych/core/backend";
import { CONTRIB_DOMAIN, ONNX_TYPE_NUMBERS, type OnnxDtype } from "../model-proto/onnx-model.js";
import { reshapeTo } from "./layout.js";
import { operand, resultType, type Lowering, type CompositeLowerings } from "./lowering.js";
import type { Name } from "./onnx-builder.js";
import { reduce } from "./reduction.js";

/** Slope of the sigmoid in quickGelu. */
const QUICK_SLOPE = 1.702;

/** Over no entries ReduceMean gives 0, but a mean has no value then: sizes that may be 0 are divided by. */
const mean: Lowering<CompositeAttrs["mean"]> = (node, context) => {
  const { onnx, sizes } = context;
  const { name: x, shape } = operand(node, 0);
  const count = mulDims(...node.attrs.axes.map((axis) => shape[axis] ?? 1));
  if (!isSymbolic(count) && count > 0) return reduce("ReduceMean", x, node.attrs, context);
  const total = reduce("ReduceSum", x, node.attrs, context);
  const size = onnx.node("Reshape", [sizes.size(count), onnx.ints([])]);
  return onnx.node("Div", [total, onnx.node("Cast", [size], { to: ONNX_TYPE_NUMBERS.float32 })]);
};

/**
 * Counts over the first or the last axes are products of the mask's bytes with ones, summed up in int32: about a sixth of
 * the time of a cast and a sum in float32.
 */
const countTrue: Lowering<CompositeAttrs["countTrue"]> = (node, context) => {
  const { onnx } = context;
  const { name: mask, shape } = operand(node, 0);
  const { axes } = node.attrs;
  const cast = (x: Name, to: OnnxDtype): Name =>
    onnx.node("Cast", [x], { to: ONNX_TYPE_NUMBERS[to] });
  const isFirst = axes.every((axis, i) => axis === i);
  const isLast = axes.every((axis, i) => axis === shape.length - axes.length + i);
  const cut = isLast ? shape.length - axes.length : axes.length;
  const [rows, columns] = [shapeSize(shape.slice(0, cut)), shapeSize(shape.slice(cut))];
  const isMatrix = axes.length > 0 && (isFirst || isLast);
  if (!isMatrix || isSymbolic(rows) || isSymbolic(columns) || rows * columns === 0)
    return reduce("ReduceSum", cast(mask, "float32"), node.attrs, context);
  const matrix = cast(reshapeTo(mask, shape, [rows, columns], context), "uint8");
  const ones = (dims: readonly number[]): Name =>
    cast(
      onnx.constant(hostTensorFrom("bool", dims, new Array<number>(Math.max(...dims)).fill(1))),
      "uint8",
    );
  const counts = isLast
    ? onnx.node("MatMulInteger", [matrix, ones([columns, 1])])
    : onnx.node("MatMulInteger", [ones([1, rows]), matrix]);
  const found = isLast ? [rows, 1] : [1, columns];
  return reshapeTo(cast(counts, "float32"), found, resultType(node).shape, context);
};

const softmax: Lowering<CompositeAttrs["softmax"]> = ({ inputs, attrs }, { onnx }) =>
  onnx.node("Softmax", inputs, { axis: attrs.axis });

const logSoftmax: Lowering<CompositeAttrs["logSoftmax"]> = ({ inputs, attrs }, { onnx }) =>
  onnx.node("LogSoftmax", inputs, { axis: attrs.axis });

const relu: Lowering = ({ inputs }, { onnx }) => onnx.node("Relu", inputs);

/** Needs opset 20. */
const gelu: Lowering = ({ inputs }, { onnx }) => onnx.node("Gelu", inputs);

const geluTanh: Lowering = ({ inputs }, { onnx }) =>
  onnx.node("Gelu", inputs, { approximate: "tanh" });

const quickGelu: Lowering = ({ inputs }, { onnx }) =>
  onnx.node("QuickGelu", inputs, { alpha: { float: QUICK_SLOPE } }, CONTRIB_DOMAIN);

const layerNorm: Lowering<CompositeAttrs["layerNorm"]> = ({ inputs, attrs }, { onnx }) =>
  onnx.nodes("LayerNormalization", inputs, { axis: -1, epsilon: { float: attrs.epsilon } }, 3);

/**
 * With momentum 0 the "running" statistics that ONNX's training mode returns are the batch's own; its variance is the
 * biased one. ONNX Runtime writes them over the inputs that they come from, so each norm needs inputs of its own: not
 * constants, which norms of one width would share, and not equal nodes, which its optimiser would merge.
 */
const batchNorm: Lowering<CompositeAttrs["batchNorm"]> = (node, { onnx }) => {
  const [, scale, bias] = [operand(node, 0), operand(node, 1), operand(node, 2)];
  const attributes = {
    epsilon: { float: node.attrs.epsilon },
    momentum: { float: 0 },
    training_mode: 1,
  };
  const own = 1 / (2 + onnx.built().nodes.length);
  const overwritten = [
    onnx.node("Mul", [scale.name, onnx.scalar("float32", own)]),
    onnx.node("Mul", [bias.name, onnx.scalar("float32", -own)]),
  ];
  return onnx.nodes("BatchNormalization", [...node.inputs, ...overwritten], attributes, 3);
};

const l2Normalize: Lowering<CompositeAttrs["l2Normalize"]> = (node, context) => {
  const { onnx } = context;
  const { name: x } = operand(node, 0);
  const { axis, epsilon } = node.attrs;
  const squares = reduce("ReduceSumSquare", x, { axes: [axis], keepDims: true }, context);
  const bounded = onnx.node("Max", [squares, onnx.scalar("float32", epsilon ** 2)]);
  return onnx.node("Div", [x, onnx.node("Sqrt", [bounded])]);
};

const avgPool2d: Lowering<CompositeAttrs["avgPool2d"]> = ({ inputs, attrs }, { onnx }) =>
  onnx.node("AveragePool", inputs, { kernel_shape: attrs.size, strides: attrs.size });

/** A target's `composites` may name these. */
export const COMPOSITE_LOWERINGS: CompositeLowerings = {
  mean,
  countTrue,
  softmax,
  logSoftmax,
  relu,
  gelu,
  geluTanh,
  quickGelu,
  layerNorm,
  batchNorm,
  l2Normalize,
  avgPool2d,
};
