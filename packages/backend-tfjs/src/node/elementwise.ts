/**
 * Arithmetic, transcendental functions, comparisons, logic, selection and casts. bfloat16 sums and products are computed
 * as they are; other functions of it in float32 between two casts, where TensorFlow's vectorised kernels are.
 */
import type { Comparison, PrimitiveAttrs } from "@diptych/core/backend";
import { operand, resultOf, type TfLowering } from "./lowering.js";
import { boolAttr, typeAttr } from "./tf-binding.js";
import type { TfOps, TfTensor } from "./tf-ops.js";

type None = PrimitiveAttrs["add"];

/** An op on operands that stretch to one another, as TensorFlow's do. */
function binary(op: string): TfLowering<None> {
  return (call, tf) => tf.same(op, [operand(call, 0), operand(call, 1)], resultOf(call).shape);
}

/** A function of a float, in float32. */
function unary(op: string): TfLowering<None> {
  return (call, tf) => {
    const x = tf.cast(operand(call, 0), "float32");
    return tf.cast(tf.same(op, [x], x.shape), resultOf(call).dtype);
  };
}

/** TensorFlow's integer division by 0 is an error of the whole run; any number will do for a quotient without meaning. */
const div: TfLowering<None> = (call, tf) => {
  const [a, b] = [operand(call, 0), operand(call, 1)];
  const { shape } = resultOf(call);
  if (b.dtype !== "int32") return tf.same("RealDiv", [a, b], shape);
  const isZero = compareWith("Equal", [b, tf.number(0, "int32")], { shape: b.shape, tf });
  return tf.same("TruncateDiv", [a, select(isZero, [tf.number(1, "int32"), b], tf)], shape);
};

/** A function that TensorFlow computes in every type. */
function exact(op: string): TfLowering<None> {
  return (call, tf) => tf.same(op, [operand(call, 0)], resultOf(call).shape);
}

const COMPARISON_OPS: Readonly<Record<Comparison, string>> = {
  equal: "Equal",
  less: "Less",
  lessEqual: "LessEqual",
};

function compareWith(
  op: string,
  inputs: readonly TfTensor[],
  { shape, tf }: { readonly shape: readonly number[]; readonly tf: TfOps },
): TfTensor {
  const attrs = [typeAttr("T", inputs[0]?.dtype ?? "float32")];
  if (op === "Equal") attrs.push(boolAttr("incompatible_shape_error", true));
  return tf.call(op, inputs, { attrs, dtype: "bool", shape });
}

const compare: TfLowering<PrimitiveAttrs["compare"]> = (call, tf) => {
  const op = COMPARISON_OPS[call.attrs.comparison];
  return compareWith(op, call.inputs, { shape: resultOf(call).shape, tf });
};

function select(
  condition: TfTensor,
  [whenTrue, whenFalse]: readonly [TfTensor, TfTensor],
  tf: TfOps,
): TfTensor {
  const attrs = [typeAttr("T", whenTrue.dtype)];
  const { dtype } = whenTrue;
  const shape = largest([condition, whenTrue, whenFalse]);
  return tf.call("SelectV2", [condition, whenTrue, whenFalse], { attrs, dtype, shape });
}

function largest(tensors: readonly TfTensor[]): readonly number[] {
  const rank = Math.max(...tensors.map(({ shape }) => shape.length));
  return Array.from({ length: rank }, (_, i) =>
    tensors.reduce((size, { shape }) => {
      const own = shape[shape.length - rank + i] ?? 1;
      return own === 1 ? size : own;
    }, 1),
  );
}

const selectLowering: TfLowering<None> = (call, tf) =>
  select(operand(call, 0), [operand(call, 1), operand(call, 2)], tf);

function logical(op: string): TfLowering<None> {
  return (call, tf) => tf.call(op, call.inputs, { dtype: "bool", shape: resultOf(call).shape });
}

/** As TensorFlow's Cast: floats lose their fraction on the way to integers, and are true where they are not 0. */
const cast: TfLowering<PrimitiveAttrs["cast"]> = (call, tf) =>
  tf.cast(operand(call, 0), call.attrs.dtype);

const identity: TfLowering<None> = (call) => operand(call, 0);

export const ELEMENTWISE_LOWERINGS = {
  add: binary("AddV2"),
  sub: binary("Sub"),
  mul: binary("Mul"),
  div,
  max: binary("Maximum"),
  neg: exact("Neg"),
  abs: exact("Abs"),
  exp: unary("Exp"),
  log: unary("Log"),
  log1p: unary("Log1p"),
  sqrt: unary("Sqrt"),
  tanh: unary("Tanh"),
  sigmoid: unary("Sigmoid"),
  erf: unary("Erf"),
  compare,
  and: logical("LogicalAnd"),
  or: logical("LogicalOr"),
  not: logical("LogicalNot"),
  select: selectLowering,
  cast,
  stopGradient: identity,
  // Nodes run in the graph's order, one after the other: what comes after a value needs nothing more.
  after: identity,
};
