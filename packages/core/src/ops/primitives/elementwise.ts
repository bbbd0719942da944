/** Elementwise primitives: arithmetic, transcendental functions, comparisons, logic, selection and casts. */
import { DtypeError } from "../../errors.js";
import { buildValue } from "../../graph/builder.js";
import { dtypeOf, type Value, type ValueType } from "../../graph/node.js";
import type { PrimitiveDef } from "../../graph/op-def.js";
import { broadcastShapes } from "../../tensor/broadcast.js";
import { isFloat, type DType } from "../../tensor/dtype.js";
import type { Comparison, PrimitiveAttrs } from "../primitive-table.js";
import { checkArity, onlyType, typePair } from "./arity.js";
import { scalar } from "./leaves.js";

/** A value, or a number that becomes a scalar of the other operand's dtype. */
export type Operand = Value | number;

type Nothing = PrimitiveAttrs["add"];

export type BinaryName = "add" | "sub" | "mul" | "div" | "max";
export type UnaryName =
  "neg" | "abs" | "exp" | "log" | "log1p" | "sqrt" | "tanh" | "sigmoid" | "erf";

function requireDtypes(op: string, types: readonly ValueType[], allowed: readonly DType[]): DType {
  const [first] = types;
  for (const { dtype } of types) {
    if (!first || dtype !== first.dtype || !allowed.includes(dtype)) {
      throw new DtypeError(
        `core/${op}: dtype: expected operands of one dtype among ${allowed.join(", ")}, got ${types.map((t) => t.dtype).join(" and ")}. Cast one; nothing is promoted implicitly.`,
      );
    }
  }
  return first?.dtype ?? "float32";
}

const FLOATS: readonly DType[] = ["float32", "float16", "bfloat16"];
const NUMBERS: readonly DType[] = [...FLOATS, "int32"];

function binaryDef(name: BinaryName): PrimitiveDef<Nothing> {
  return {
    kind: "primitive",
    name,
    infer: (types) => {
      const [a, b] = typePair(name, types);
      const dtype = requireDtypes(name, types, NUMBERS);
      return [{ shape: broadcastShapes(`core/${name}`, a.shape, b.shape), dtype }];
    },
  };
}

function unaryDef(name: UnaryName): PrimitiveDef<Nothing> {
  const allowed = name === "neg" || name === "abs" ? NUMBERS : FLOATS;
  return {
    kind: "primitive",
    name,
    infer: (types) => {
      const { shape } = onlyType(name, types);
      return [{ shape, dtype: requireDtypes(name, types, allowed) }];
    },
  };
}

function logicDef(name: "and" | "or" | "not"): PrimitiveDef<Nothing> {
  return {
    kind: "primitive",
    name,
    infer: (types) => {
      const shapes = name === "not" ? [onlyType(name, types)] : typePair(name, types);
      requireDtypes(name, types, ["bool"]);
      const shape = shapes
        .map((type) => type.shape)
        .reduce((a, b) => broadcastShapes(`core/${name}`, a, b));
      return [{ shape, dtype: "bool" }];
    },
  };
}

export const binaryDefs = {
  add: binaryDef("add"),
  sub: binaryDef("sub"),
  mul: binaryDef("mul"),
  div: binaryDef("div"),
  max: binaryDef("max"),
} as const;

export const unaryDefs = {
  neg: unaryDef("neg"),
  abs: unaryDef("abs"),
  exp: unaryDef("exp"),
  log: unaryDef("log"),
  log1p: unaryDef("log1p"),
  sqrt: unaryDef("sqrt"),
  tanh: unaryDef("tanh"),
  sigmoid: unaryDef("sigmoid"),
  erf: unaryDef("erf"),
} as const;

export const logicDefs = {
  and: logicDef("and"),
  or: logicDef("or"),
  not: logicDef("not"),
} as const;

export const compareDef: PrimitiveDef<PrimitiveAttrs["compare"]> = {
  kind: "primitive",
  name: "compare",
  infer: (types, { comparison }) => {
    const [a, b] = typePair("compare", types);
    requireDtypes("compare", types, comparison === "equal" ? [...NUMBERS, "bool"] : NUMBERS);
    return [{ shape: broadcastShapes("core/compare", a.shape, b.shape), dtype: "bool" }];
  },
};

export const selectDef: PrimitiveDef<Nothing> = {
  kind: "primitive",
  name: "select",
  infer: (types) => {
    checkArity("select", types, 3);
    const [condition, whenTrue, whenFalse] = types as [ValueType, ValueType, ValueType];
    requireDtypes("select condition", [condition], ["bool"]);
    const dtype = requireDtypes("select", [whenTrue, whenFalse], [...NUMBERS, "bool"]);
    const branches = broadcastShapes("core/select", whenTrue.shape, whenFalse.shape);
    return [{ shape: broadcastShapes("core/select", condition.shape, branches), dtype }];
  },
};

export const castDef: PrimitiveDef<PrimitiveAttrs["cast"]> = {
  kind: "primitive",
  name: "cast",
  infer: (types, { dtype }) => [{ shape: onlyType("cast", types).shape, dtype }],
};

export const stopGradientDef: PrimitiveDef<Nothing> = {
  kind: "primitive",
  name: "stopGradient",
  infer: (types) => [onlyType("stopGradient", types)],
};

export const afterDef: PrimitiveDef<Nothing> = {
  kind: "primitive",
  name: "after",
  infer: (types) => [typePair("after", types)[0]],
};

/** Turns a number beside a value into a scalar of its dtype. */
function operands(a: Operand, b: Operand): readonly [Value, Value] {
  if (typeof a === "number") {
    if (typeof b === "number") return [scalar(a), scalar(b)];
    return [scalar(a, dtypeOf(b)), b];
  }
  return [a, typeof b === "number" ? scalar(b, dtypeOf(a)) : b];
}

const binary = (name: BinaryName, a: Operand, b: Operand): Value =>
  buildValue(binaryDefs[name], operands(a, b), {});
const unary = (name: UnaryName, x: Value): Value => buildValue(unaryDefs[name], [x], {});
const comparison = (kind: Comparison, a: Operand, b: Operand): Value =>
  buildValue(compareDef, operands(a, b), { comparison: kind });

export const add = (a: Operand, b: Operand): Value => binary("add", a, b);
export const sub = (a: Operand, b: Operand): Value => binary("sub", a, b);
export const mul = (a: Operand, b: Operand): Value => binary("mul", a, b);
export const div = (a: Operand, b: Operand): Value => binary("div", a, b);
/** The larger operand; where they are equal each gets half of the cotangent. */
export const max = (a: Operand, b: Operand): Value => binary("max", a, b);
export const neg = (x: Value): Value => unary("neg", x);
/** |x|; derivative 0 at 0. */
export const abs = (x: Value): Value => unary("abs", x);
export const exp = (x: Value): Value => unary("exp", x);
export const log = (x: Value): Value => unary("log", x);
export const log1p = (x: Value): Value => unary("log1p", x);
export const sqrt = (x: Value): Value => unary("sqrt", x);
export const tanh = (x: Value): Value => unary("tanh", x);
export const sigmoid = (x: Value): Value => unary("sigmoid", x);
export const erf = (x: Value): Value => unary("erf", x);

export const equal = (a: Operand, b: Operand): Value => comparison("equal", a, b);
export const less = (a: Operand, b: Operand): Value => comparison("less", a, b);
export const lessEqual = (a: Operand, b: Operand): Value => comparison("lessEqual", a, b);
export const greater = (a: Operand, b: Operand): Value => comparison("less", b, a);
export const greaterEqual = (a: Operand, b: Operand): Value => comparison("lessEqual", b, a);
export const and = (a: Value, b: Value): Value => buildValue(logicDefs.and, [a, b], {});
export const or = (a: Value, b: Value): Value => buildValue(logicDefs.or, [a, b], {});
export const not = (a: Value): Value => buildValue(logicDefs.not, [a], {});

/** `whenTrue` where `condition`, else `whenFalse`; shapes broadcast. */
export function select(condition: Value, whenTrue: Operand, whenFalse: Operand): Value {
  return buildValue(selectDef, [condition, ...operands(whenTrue, whenFalse)], {});
}

/** x as `dtype`; x itself when it is that already. */
export function cast(x: Value, dtype: DType): Value {
  return dtypeOf(x) === dtype ? x : buildValue(castDef, [x], { dtype });
}

/** x, through which no gradient flows. */
export function stopGradient(x: Value): Value {
  return buildValue(stopGradientDef, [x], {});
}

/** x, which may not be computed before `dependency`; backends keep the order. */
export function after(x: Value, dependency: Value): Value {
  return buildValue(afterDef, [x, dependency], {});
}

/** Whether a value may have a gradient. */
export function isDifferentiable(value: Value): boolean {
  return isFloat(dtypeOf(value));
}
