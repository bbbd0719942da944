/** Elementwise primitives. int32 wraps as two's complement; floats are float64 throughout; NaN stays NaN. */
import { DataError } from "../../errors.js";
import type { DType } from "../../tensor/dtype.js";
import type { Comparison, PrimitiveAttrs } from "../../ops/primitive-table.js";
import { erf } from "../erf.js";
import type { Kernel } from "./kernel.js";
import { stretched } from "./strided.js";

type None = PrimitiveAttrs["add"];
type Binary = (a: number, b: number) => number;
type Unary = (x: number) => number;

function binary(float: Binary, int: Binary): Kernel<None> {
  return ([a, b], _, { shape, dtype }) =>
    zip(stretched(a!, shape), stretched(b!, shape), dtype === "int32" ? int : float);
}

function zip(left: Float64Array, right: Float64Array, combine: Binary): Float64Array {
  const values = new Float64Array(left.length);
  for (let i = 0; i < values.length; i++) values[i] = combine(left[i]!, right[i]!);
  return values;
}

function unary(float: Unary, int: Unary = float): Kernel<None> {
  return ([x], _, { dtype }) => x!.data.map(dtype === "int32" ? int : float);
}

/** Without the overflow of exp(−x) for very negative x. */
function sigmoid(x: number): number {
  const power = Math.exp(-Math.abs(x));
  return (x >= 0 ? 1 : power) / (1 + power);
}

function divideInts(a: number, b: number): number {
  if (b === 0) {
    throw new DataError("core/reference: div: expected int32 divisors other than 0, got 0.");
  }
  return (a / b) | 0;
}

const COMPARE: Readonly<Record<Comparison, (a: number, b: number) => boolean>> = {
  equal: (a, b) => a === b,
  less: (a, b) => a < b,
  lessEqual: (a, b) => a <= b,
};

const castTo = (dtype: DType): Unary => {
  if (dtype === "bool") return (x) => (x === 0 ? 0 : 1);
  // ToInt32 truncates; what does not fit wraps and NaN gives 0, where backends may differ.
  if (dtype === "int32") return (x) => x | 0;
  return (x) => x;
};

export const elementwiseKernels = {
  add: binary(
    (a, b) => a + b,
    (a, b) => (a + b) | 0,
  ),
  sub: binary(
    (a, b) => a - b,
    (a, b) => (a - b) | 0,
  ),
  mul: binary((a, b) => a * b, Math.imul),
  div: binary((a, b) => a / b, divideInts),
  max: binary(Math.max, Math.max),
  neg: unary(
    (x) => -x,
    (x) => -x | 0,
  ),
  abs: unary(Math.abs, (x) => Math.abs(x) | 0),
  exp: unary(Math.exp),
  log: unary(Math.log),
  log1p: unary(Math.log1p),
  sqrt: unary(Math.sqrt),
  tanh: unary(Math.tanh),
  sigmoid: unary(sigmoid),
  erf: unary(erf),
  and: binary(Math.min, Math.min),
  or: binary(Math.max, Math.max),
  not: unary((x) => 1 - x),
  compare: (([a, b], { comparison }, { shape }) => {
    const holds = COMPARE[comparison];
    return zip(stretched(a!, shape), stretched(b!, shape), (x, y) => (holds(x, y) ? 1 : 0));
  }) satisfies Kernel<PrimitiveAttrs["compare"]>,
  select: (([condition, whenTrue, whenFalse], _, { shape }) => {
    const chosen = stretched(condition!, shape);
    const yes = stretched(whenTrue!, shape);
    const no = stretched(whenFalse!, shape);
    return chosen.map((flag, i) => (flag ? yes[i]! : no[i]!));
  }) satisfies Kernel<None>,
  cast: (([x], { dtype }) => x!.data.map(castTo(dtype))) satisfies Kernel<PrimitiveAttrs["cast"]>,
  stopGradient: (([x]) => x!.data) satisfies Kernel<None>,
  after: (([x]) => x!.data) satisfies Kernel<None>,
} as const;
