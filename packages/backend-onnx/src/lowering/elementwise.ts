/** Lowerings of arithmetic, transcendental functions, comparisons, logic, selection and casts. */
import type { Comparison, PrimitiveAttrs } from "@diptych/core/backend";
import { ONNX_TYPE_NUMBERS } from "../model-proto/onnx-model.js";
import { operand, type Lowering } from "./lowering.js";
import type { Name, OnnxBuilder } from "./onnx-builder.js";

/** A node of one ONNX operator on the same operands. */
function same(op: string): Lowering {
  return (node, { onnx }) => onnx.node(op, node.inputs);
}

/** C++'s integer division by 0 ends the process; any number will do for a quotient that has no meaning. */
const div: Lowering = (node, { onnx }) => {
  const [a, b] = [operand(node, 0), operand(node, 1)];
  if (b.dtype !== "int32") return onnx.node("Div", [a.name, b.name]);
  const isZero = onnx.node("Equal", [b.name, onnx.scalar("int32", 0)]);
  return onnx.node("Div", [a.name, onnx.node("Where", [isZero, onnx.scalar("int32", 1), b.name])]);
};

/** Integers without a kernel of their own: 0 − x. */
const neg: Lowering = (node, { onnx }) => {
  const { name, dtype } = operand(node, 0);
  if (dtype !== "int32" || onnx.target.integerKernels) return onnx.node("Neg", [name]);
  return onnx.node("Sub", [onnx.scalar("int32", 0), name]);
};

/** Integers without a kernel of their own: max(x, 0 − x). */
const abs: Lowering = (node, { onnx }) => {
  const { name, dtype } = operand(node, 0);
  if (dtype !== "int32" || onnx.target.integerKernels) return onnx.node("Abs", [name]);
  return onnx.node("Max", [name, onnx.node("Sub", [onnx.scalar("int32", 0), name])]);
};

/** A device's own logarithm of 0 may be that of its smallest number. */
const log: Lowering = (node, { onnx }) => {
  const { name, dtype } = operand(node, 0);
  const logarithm = onnx.node("Log", [name]);
  if (onnx.target.infinities) return logarithm;
  const isZero = onnx.node("Equal", [name, onnx.scalar(dtype, 0)]);
  return onnx.node("Where", [isZero, onnx.scalar(dtype, -Infinity), logarithm]);
};

/**
 * log(u) − ((u − 1) − x)/u with u = 1 + x: the second term is what rounding took from u (Higham, Accuracy and Stability
 * of Numerical Algorithms, 2nd ed., problem 1.5). x is held finite and u positive there, so that −1 and ∞ give −∞ and ∞.
 */
const log1p: Lowering = (node, { onnx }) => {
  const { name: x, dtype } = operand(node, 0);
  const number = (value: number): string => onnx.scalar(dtype, value);
  const u = onnx.node("Add", [x, number(1)]);
  const finite = onnx.node("Min", [x, number(3.4e38)]);
  const finiteU = onnx.node("Add", [finite, number(1)]);
  const lost = onnx.node("Sub", [onnx.node("Sub", [finiteU, number(1)]), finite]);
  const share = onnx.node("Div", [lost, onnx.node("Max", [finiteU, number(1e-30)])]);
  return onnx.node("Sub", [onnx.node("Log", [u]), share]);
};

const COMPARISON_OPS: Readonly<Record<Comparison, string>> = {
  equal: "Equal",
  less: "Less",
  lessEqual: "LessOrEqual",
};

const compare: Lowering<PrimitiveAttrs["compare"]> = (node, { onnx }) =>
  onnx.node(COMPARISON_OPS[node.attrs.comparison], node.inputs);

/** And is the product of 0s and 1s, Or their sum. */
const ARITHMETIC = { And: "Mul", Or: "Add" } as const;

/** `And` or `Or`, by int32 arithmetic where there are no such kernels. */
function logical(op: "And" | "Or", operands: readonly Name[], onnx: OnnxBuilder): Name {
  if (onnx.target.integerKernels) return onnx.node(op, operands);
  const numbers = operands.map((name) =>
    onnx.node("Cast", [name], { to: ONNX_TYPE_NUMBERS.int32 }),
  );
  const result = onnx.node(ARITHMETIC[op], numbers);
  return onnx.node("Cast", [result], { to: ONNX_TYPE_NUMBERS.bool });
}

const and: Lowering = ({ inputs }, { onnx }) => logical("And", inputs, onnx);

const or: Lowering = ({ inputs }, { onnx }) => logical("Or", inputs, onnx);

const select: Lowering = (node, { onnx }) => {
  const [condition, whenTrue, whenFalse] = [operand(node, 0), operand(node, 1), operand(node, 2)];
  if (whenTrue.dtype !== "bool") return onnx.node("Where", node.inputs);
  // ONNX Runtime's CPU provider has no Where of booleans.
  const chosen = logical("And", [condition.name, whenTrue.name], onnx);
  const others = logical("And", [onnx.node("Not", [condition.name]), whenFalse.name], onnx);
  return logical("Or", [chosen, others], onnx);
};

const cast: Lowering<PrimitiveAttrs["cast"]> = (node, { onnx }) => {
  const x = operand(node, 0);
  if (x.dtype === node.attrs.dtype) return x.name;
  return onnx.node("Cast", [x.name], { to: ONNX_TYPE_NUMBERS[node.attrs.dtype] });
};

const INTEGERS: ReadonlySet<string> = new Set(["int32", "bool"]);

const identity: Lowering = (node) => operand(node, 0).name;

/**
 * x reshaped to its own shape, which is computed as the known sizes plus the sum of none of the dependency's entries:
 * no optimiser can tell that this is 0, the sizes wait for the dependency, and neither tensor is read.
 */
const after: Lowering = (node, { onnx, sizes }) => {
  const [x, dependency] = [operand(node, 0), operand(node, 1)];
  const isMovable = onnx.target.integerKernels || !INTEGERS.has(dependency.dtype);
  const movable = isMovable
    ? dependency.name
    : onnx.node("Cast", [dependency.name], { to: ONNX_TYPE_NUMBERS.float32 });
  const flat = onnx.node("Reshape", [movable, onnx.ints([-1])]);
  const none = onnx.node("Slice", [flat, onnx.ints([0]), onnx.ints([0]), onnx.ints([0])]);
  const counts = onnx.node("Cast", [none], { to: ONNX_TYPE_NUMBERS.int64 });
  const zero = onnx.node("ReduceSum", [counts, onnx.ints([0])], { keepdims: 1 });
  const shape = onnx.node("Add", [sizes.vector(x.shape), zero]);
  const result = onnx.node("Reshape", [x.name, shape], { allowzero: 1 });
  onnx.declare(result, x.dtype, x.shape);
  return result;
};

export const ELEMENTWISE_LOWERINGS = {
  add: same("Add"),
  sub: same("Sub"),
  mul: same("Mul"),
  div,
  max: same("Max"),
  neg,
  abs,
  exp: same("Exp"),
  log,
  log1p,
  sqrt: same("Sqrt"),
  tanh: same("Tanh"),
  sigmoid: same("Sigmoid"),
  erf: same("Erf"),
  compare,
  and,
  or,
  not: same("Not"),
  select,
  cast,
  stopGradient: identity,
  after,
};
