/** The closed set of primitives with their attributes. A backend lowers each one: `satisfies Record<PrimitiveName, …>` makes a missing one a compile error. */
import type { DType } from "../tensor/dtype.js";
import type { Dim } from "../tensor/dim.js";
import type { HostTensor } from "../tensor/host-tensor.js";
import type { Shape } from "../tensor/shape.js";
import type { ImageLayout } from "./primitives/image-axes.js";

type None = Readonly<Record<never, never>>;

/**
 * Attributes of a convolution: `strides` [height, width], `padding` [top, left, bottom, right] in pixels, `groups` ≥ 1.
 * With `layout` NHWC, pictures (x, dy, y and `inputShape`) have that order; filters are OIHW in both.
 */
export type ConvAttrs = ImageLayout & {
  readonly strides: readonly [number, number];
  readonly padding: readonly [number, number, number, number];
  readonly groups: number;
};

export const COMPARISONS = ["equal", "less", "lessEqual"] as const;
export type Comparison = (typeof COMPARISONS)[number];

/**
 * Attributes by primitive. Operands (in order) and results:
 *
 * - `input`, `parameter`: no operands; fed by `name`.
 * - `constant`: a host tensor. `iota(dim)`: int32 0…dim−1, shape [dim]. `dimSize(dim)`: int32 scalar.
 * - `add sub mul div max` (a, b) broadcast, same dtype (float or int32); `neg abs exp log log1p sqrt tanh sigmoid erf` (x): float (neg, abs also int32).
 * - `compare` (a, b) → bool, broadcast; `and or` (a, b), `not` (a): bool. `select` (condition, whenTrue, whenFalse): broadcast.
 * - `cast` (x); float → int32 truncates, bool → 0/1, to bool: x ≠ 0. `stopGradient` (x): identity, no derivative. `after` (x, dependency): x, not computed before dependency.
 * - `sum`, `reduceMax` (x) over `axes` (ascending, non-negative), kept as size 1 when `keepDims`; `argmax` (x) → int32 over `axis` (removed), first of ties.
 * - `reshape` (x) row-major; `transpose` (x): output axis i is input axis permutation[i]; `broadcast` (x): numpy rules to `shape`.
 * - `slice` (x): from `begins`, of size `shape`; `pad` (x): zeros of `shape` (false for bool) with x written at `begins`; `concat` (…xs) along `axis`.
 * - `take` (x, indices int32): axis replaced by the shape of indices, as ONNX Gather; indices in [0, size). `takeAlong` (x, indices): GatherElements. `scatterAdd` (x, indices, updates): ScatterElements with reduction add.
 * - `matmul` (a, b): [...batch, m, k] × [...batch, k, n], the last two axes of an operand swapped where its transpose flag says so; batch axes broadcast.
 * - `conv2d` (x [N,C,H,W], filter [O,C/groups,kh,kw]); `conv2dInputGradient` (dy, filter) → `inputShape`; `conv2dFilterGradient` (x, dy) → `filterShape`.
 */
export type PrimitiveAttrs = {
  readonly input: { readonly name: string; readonly shape: Shape; readonly dtype: DType };
  readonly parameter: { readonly name: string; readonly shape: Shape; readonly dtype: DType };
  readonly constant: { readonly value: HostTensor };
  readonly iota: { readonly dim: Dim };
  readonly dimSize: { readonly dim: Dim };
  readonly add: None;
  readonly sub: None;
  readonly mul: None;
  readonly div: None;
  readonly max: None;
  readonly neg: None;
  readonly abs: None;
  readonly exp: None;
  readonly log: None;
  readonly log1p: None;
  readonly sqrt: None;
  readonly tanh: None;
  readonly sigmoid: None;
  readonly erf: None;
  readonly compare: { readonly comparison: Comparison };
  readonly and: None;
  readonly or: None;
  readonly not: None;
  readonly select: None;
  readonly cast: { readonly dtype: DType };
  readonly stopGradient: None;
  readonly after: None;
  readonly sum: { readonly axes: readonly number[]; readonly keepDims: boolean };
  readonly reduceMax: { readonly axes: readonly number[]; readonly keepDims: boolean };
  readonly argmax: { readonly axis: number };
  readonly reshape: { readonly shape: Shape };
  readonly transpose: { readonly permutation: readonly number[] };
  readonly broadcast: { readonly shape: Shape };
  readonly slice: { readonly begins: readonly Dim[]; readonly shape: Shape };
  readonly pad: { readonly begins: readonly Dim[]; readonly shape: Shape };
  readonly concat: { readonly axis: number };
  readonly take: { readonly axis: number };
  readonly takeAlong: { readonly axis: number };
  readonly scatterAdd: { readonly axis: number };
  readonly matmul: { readonly transposeA: boolean; readonly transposeB: boolean };
  readonly conv2d: ConvAttrs;
  readonly conv2dInputGradient: ConvAttrs & { readonly inputShape: Shape };
  readonly conv2dFilterGradient: ConvAttrs & { readonly filterShape: Shape };
};

export type PrimitiveName = keyof PrimitiveAttrs;

/** Every primitive once, in the order of {@link PrimitiveAttrs}. */
export const PRIMITIVE_NAMES = [
  "input",
  "parameter",
  "constant",
  "iota",
  "dimSize",
  "add",
  "sub",
  "mul",
  "div",
  "max",
  "neg",
  "abs",
  "exp",
  "log",
  "log1p",
  "sqrt",
  "tanh",
  "sigmoid",
  "erf",
  "compare",
  "and",
  "or",
  "not",
  "select",
  "cast",
  "stopGradient",
  "after",
  "sum",
  "reduceMax",
  "argmax",
  "reshape",
  "transpose",
  "broadcast",
  "slice",
  "pad",
  "concat",
  "take",
  "takeAlong",
  "scatterAdd",
  "matmul",
  "conv2d",
  "conv2dInputGradient",
  "conv2dFilterGradient",
] as const satisfies readonly PrimitiveName[];

type Missing = Exclude<PrimitiveName, (typeof PRIMITIVE_NAMES)[number]>;
/** Fails to compile when a primitive is missing above. */
export const PRIMITIVE_NAMES_ARE_COMPLETE: [Missing] extends [never] ? true : Missing = true;

export function isPrimitiveName(op: string): op is PrimitiveName {
  return (PRIMITIVE_NAMES as readonly string[]).includes(op);
}
