/** Arithmetic, functions, comparisons, logic, selection and casts. Operands stretch to one another in the kernels. */
import type { Comparison, PrimitiveAttrs } from "@diptych/core/backend";
import type { ComputedName } from "./lowering.js";
import { operand, resultOf, type Lowering } from "./lowering.js";

type None = PrimitiveAttrs["add"];

const binary =
  (kernel: string): Lowering<None> =>
  (call, kernels) =>
    kernels.run(kernel, { a: operand(call, 0), b: operand(call, 1) });

const unary =
  (kernel: string): Lowering<None> =>
  (call, kernels) =>
    kernels.run(kernel, { x: operand(call, 0) });

const identity: Lowering<None> = (call) => operand(call, 0);

const COMPARISONS: Readonly<Record<Comparison, string>> = {
  equal: "Equal",
  less: "Less",
  lessEqual: "LessEqual",
};

const compare: Lowering<PrimitiveAttrs["compare"]> = (call, kernels) =>
  kernels.run(COMPARISONS[call.attrs.comparison], { a: operand(call, 0), b: operand(call, 1) });

/** The kernel wants three operands of one shape. */
const select: Lowering<None> = (call, kernels) => {
  const { shape } = resultOf(call);
  const [condition, t, e] = [0, 1, 2].map((i) => kernels.broadcast(operand(call, i), shape));
  return kernels.run("Select", { condition: condition!, t: t!, e: e! });
};

const cast: Lowering<PrimitiveAttrs["cast"]> = (call, kernels) =>
  kernels.cast(operand(call, 0), call.attrs.dtype);

export const ELEMENTWISE = {
  add: binary("Add"),
  sub: binary("Sub"),
  mul: binary("Multiply"),
  div: binary("RealDiv"),
  max: binary("Maximum"),
  neg: unary("Neg"),
  abs: unary("Abs"),
  exp: unary("Exp"),
  log: unary("Log"),
  log1p: unary("Log1p"),
  sqrt: unary("Sqrt"),
  tanh: unary("Tanh"),
  sigmoid: unary("Sigmoid"),
  erf: unary("Erf"),
  compare,
  and: binary("LogicalAnd"),
  or: binary("LogicalOr"),
  not: unary("LogicalNot"),
  select,
  cast,
  stopGradient: identity,
  // Nodes run in the graph's order, one after the other: what comes after a value needs nothing more.
  after: identity,
} satisfies { readonly [Name in ComputedName]?: Lowering<PrimitiveAttrs[Name]> };
