/** A case of an op: how to build it, what to feed, and what is known of the result. Every backend and autodiff are held to the same table. */
import type { Value } from "../../graph/node.js";
import { symbolDim, type DimBinding } from "../../tensor/dim.js";
import type { DType } from "../../tensor/dtype.js";
import type { Shape } from "../../tensor/shape.js";

/** Where the values of an input come from; what is drawn depends on the case's name alone. */
export type ValueSource =
  | { readonly kind: "normal"; readonly scale: number }
  | { readonly kind: "uniform"; readonly low: number; readonly high: number }
  /** Integers in [low, below). */
  | { readonly kind: "integers"; readonly low: number; readonly below: number }
  | { readonly kind: "given"; readonly values: readonly number[] };

export interface CaseInput {
  readonly shape: Shape;
  /** `float` is whichever float dtype the case is run in. */
  readonly dtype: DType | "float";
  readonly values: ValueSource;
  readonly leaf?: "input" | "parameter";
}

/** What an entry of a result must be; a number is met to float64 precision by the reference. */
export type Expectation = number | "finite";

export interface OpCase {
  /** Primitive or composite. */
  readonly op: string;
  /** Unique within the op. */
  readonly name: string;
  readonly inputs: readonly CaseInput[];
  readonly build: (operands: readonly Value[]) => readonly Value[];
  /** Sizes of the symbols, one run each; one empty binding where there are none. */
  readonly bindings: readonly DimBinding[];
  /** Positions of the inputs that have a derivative. */
  readonly differentiable: readonly number[];
  /** Whether the derivative is what central differences show: not at kinks and extremes, nor through stopGradient. */
  readonly smooth: boolean;
  /** So large that only a backend should run it. */
  readonly large: boolean;
  /** Allowed error in float32, relative to the largest entry of a result; others scale with it. */
  readonly tolerance: number;
  /** Allowed error beside it in float32, for results that are differences of larger terms; 0 by default. */
  readonly absolute: number;
  /** Float dtypes that the case makes sense in. */
  readonly dtypes: readonly DType[];
  /** Known values of each output. */
  readonly expected?: readonly (readonly Expectation[])[];
  /** Known derivatives of the sum of all outputs by each differentiable input. */
  readonly expectedGradients?: readonly (readonly Expectation[])[];
}

type Optional =
  "bindings" | "differentiable" | "smooth" | "large" | "tolerance" | "absolute" | "dtypes";

/** What a case says of itself; the rest is the default. */
export type OpCaseOptions = Omit<OpCase, "op" | Optional> & Partial<Pick<OpCase, Optional>>;

/**
 * float32 has 24 bits, so one rounding is 6e-8; rows of the cases' length and a dozen ops in a row stay within 1e-5 of the
 * largest entry.
 */
export const DEFAULT_TOLERANCE = 1e-5;

/** Binding of cases without symbols. */
const NO_SYMBOLS: readonly DimBinding[] = Object.freeze([Object.freeze({})]);

/** A case with its defaults: all float inputs are differentiable, no symbols, smooth. */
export function opCase(op: string, options: OpCaseOptions): OpCase {
  const floats = options.inputs.flatMap(({ dtype }, i) => (dtype === "float" ? [i] : []));
  return Object.freeze({
    op,
    bindings: NO_SYMBOLS,
    differentiable: floats,
    smooth: true,
    large: false,
    tolerance: DEFAULT_TOLERANCE,
    absolute: 0,
    dtypes: ["float32", "float16", "bfloat16"] as const,
    ...options,
  });
}

export const BATCH = symbolDim("batch");
export const TOKENS = symbolDim("tokens");
/** Bindings that every symbolic batch should survive. */
export const BATCHES: readonly DimBinding[] = Object.freeze([
  { batch: 3 },
  { batch: 1 },
  { batch: 0 },
]);

export const normal = (shape: Shape, scale = 1): CaseInput => ({
  shape,
  dtype: "float",
  values: { kind: "normal", scale },
});
export const uniform = (shape: Shape, low: number, high: number): CaseInput => ({
  shape,
  dtype: "float",
  values: { kind: "uniform", low, high },
});
/** int32 in [low, below). */
export const integers = (shape: Shape, below: number, low = 0): CaseInput => ({
  shape,
  dtype: "int32",
  values: { kind: "integers", low, below },
});
/** Small whole numbers in a float dtype, so that there are ties. */
export const whole = (shape: Shape, below: number, low = 0): CaseInput => ({
  shape,
  dtype: "float",
  values: { kind: "integers", low, below },
});
/** Booleans, half of them true. */
export const flags = (shape: Shape): CaseInput => ({
  shape,
  dtype: "bool",
  values: { kind: "integers", low: 0, below: 2 },
});
export const given = (
  shape: Shape,
  values: readonly number[],
  dtype: CaseInput["dtype"] = "float",
): CaseInput => ({ shape, dtype, values: { kind: "given", values } });
