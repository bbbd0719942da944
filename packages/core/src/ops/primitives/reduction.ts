/** Reductions: sum, maximum and the first position of the maximum. */
import { DtypeError, ShapeError } from "../../errors.js";
import { buildValue } from "../../graph/builder.js";
import { rankOf, type Value, type ValueType } from "../../graph/node.js";
import type { PrimitiveDef } from "../../graph/op-def.js";
import { createShape, formatShape, resolveAxis, type Shape } from "../../tensor/shape.js";
import type { PrimitiveAttrs } from "../primitive-table.js";
import { onlyType } from "./arity.js";

/** Shape after reducing `axes`. */
export function reducedShape(shape: Shape, axes: readonly number[], keepDims: boolean): Shape {
  return createShape(
    shape.flatMap((dim, axis) => (axes.includes(axis) ? (keepDims ? [1] : []) : [dim])),
  );
}

function inferReduction(
  op: string,
  types: readonly ValueType[],
  axes: readonly number[],
  keepDims: boolean,
): ValueType[] {
  const x = onlyType(op, types);
  if (x.dtype === "bool")
    throw new DtypeError(`core/${op}: x: expected a number dtype, got bool. Cast it.`);
  const ascending = axes.every(
    (axis, i) => Number.isInteger(axis) && axis > (axes[i - 1] ?? -1) && axis < x.shape.length,
  );
  if (!ascending) {
    throw new ShapeError(
      `core/${op}: axes: expected ascending axes of ${formatShape(x.shape)}, got [${axes.join(", ")}].`,
    );
  }
  return [{ shape: reducedShape(x.shape, axes, keepDims), dtype: x.dtype }];
}

export const sumDef: PrimitiveDef<PrimitiveAttrs["sum"]> = {
  kind: "primitive",
  name: "sum",
  infer: (types, { axes, keepDims }) => inferReduction("sum", types, axes, keepDims),
};

export const reduceMaxDef: PrimitiveDef<PrimitiveAttrs["reduceMax"]> = {
  kind: "primitive",
  name: "reduceMax",
  infer: (types, { axes, keepDims }) => inferReduction("reduceMax", types, axes, keepDims),
};

export const argmaxDef: PrimitiveDef<PrimitiveAttrs["argmax"]> = {
  kind: "primitive",
  name: "argmax",
  infer: (types, { axis }) => {
    const [reduced] = inferReduction("argmax", types, [axis], false);
    return [{ shape: reduced?.shape ?? [], dtype: "int32" }];
  },
};

/** Axes of a reduction; all of them by default. They may count from the end. */
export interface ReductionOptions {
  readonly axes?: readonly number[];
  readonly keepDims?: boolean;
}

/** Ascending non-negative axes. */
export function resolveAxes(
  axes: readonly number[] | undefined,
  rank: number,
  what: string,
): readonly number[] {
  const all = axes ?? Array.from({ length: rank }, (_, axis) => axis);
  return [...new Set(all.map((axis) => resolveAxis(axis, rank, what)))].sort((a, b) => a - b);
}

/** Sum over `axes`. */
export function sum(x: Value, { axes, keepDims = false }: ReductionOptions = {}): Value {
  return buildValue(sumDef, [x], { axes: resolveAxes(axes, rankOf(x), "core/sum"), keepDims });
}

/** Largest entry over `axes`; −∞ over an empty axis. Equal entries share the cotangent evenly. */
export function reduceMax(x: Value, { axes, keepDims = false }: ReductionOptions = {}): Value {
  return buildValue(reduceMaxDef, [x], {
    axes: resolveAxes(axes, rankOf(x), "core/reduceMax"),
    keepDims,
  });
}

/** int32 position of the largest entry along `axis`, the first of ties. */
export function argmax(x: Value, axis: number): Value {
  return buildValue(argmaxDef, [x], { axis: resolveAxis(axis, rankOf(x), "core/argmax") });
}
