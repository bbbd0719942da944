/** Indexing: take along an axis, take along with one index per entry, and the sum at indices. */
import { DtypeError, ShapeError } from "../../errors.js";
import { buildValue } from "../../graph/builder.js";
import { rankOf, type Value, type ValueType } from "../../graph/node.js";
import type { PrimitiveDef } from "../../graph/op-def.js";
import { equalDims } from "../../tensor/dim.js";
import {
  createShape,
  equalShapes,
  formatShape,
  resolveAxis,
  type Shape,
} from "../../tensor/shape.js";
import type { PrimitiveAttrs } from "../primitive-table.js";
import { checkArity } from "./arity.js";

function operandsOf(
  op: string,
  types: readonly ValueType[],
  axis: number,
): readonly [ValueType, ValueType] {
  checkArity(op, types, op === "scatterAdd" ? 3 : 2);
  const [x, indices] = types as [ValueType, ValueType];
  if (indices.dtype !== "int32")
    throw new DtypeError(`core/${op}: indices: expected int32, got ${indices.dtype}.`);
  if (axis < 0 || axis >= x.shape.length) {
    throw new ShapeError(
      `core/${op}: axis: expected an axis of ${formatShape(x.shape)}, got ${axis}.`,
    );
  }
  return [x, indices];
}

/** All axes but `axis` must agree. */
function checkAligned(op: string, a: Shape, b: Shape, axis: number): void {
  if (a.length === b.length && a.every((dim, i) => i === axis || equalDims(dim, b[i] ?? -1)))
    return;
  throw new ShapeError(
    `core/${op}: shapes: expected equal axes but ${axis}, got ${formatShape(a)} and ${formatShape(b)}.`,
  );
}

export const takeDef: PrimitiveDef<PrimitiveAttrs["take"]> = {
  kind: "primitive",
  name: "take",
  infer: (types, { axis }) => {
    const [x, indices] = operandsOf("take", types, axis);
    const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
    return [{ shape: createShape(shape), dtype: x.dtype }];
  },
};

export const takeAlongDef: PrimitiveDef<PrimitiveAttrs["takeAlong"]> = {
  kind: "primitive",
  name: "takeAlong",
  infer: (types, { axis }) => {
    const [x, indices] = operandsOf("takeAlong", types, axis);
    checkAligned("takeAlong", x.shape, indices.shape, axis);
    return [{ shape: indices.shape, dtype: x.dtype }];
  },
};

export const scatterAddDef: PrimitiveDef<PrimitiveAttrs["scatterAdd"]> = {
  kind: "primitive",
  name: "scatterAdd",
  infer: (types, { axis }) => {
    const [x, indices] = operandsOf("scatterAdd", types, axis);
    const updates = types[2]!;
    if (updates.dtype !== x.dtype) {
      throw new DtypeError(
        `core/scatterAdd: updates: expected ${x.dtype} as x, got ${updates.dtype}. Cast one.`,
      );
    }
    if (!equalShapes(indices.shape, updates.shape)) {
      throw new ShapeError(
        `core/scatterAdd: updates: expected the shape of indices ${formatShape(indices.shape)}, got ${formatShape(updates.shape)}.`,
      );
    }
    checkAligned("scatterAdd", x.shape, indices.shape, axis);
    return [{ shape: x.shape, dtype: x.dtype }];
  },
};

/** Rows of x: `axis` is replaced by the shape of `indices` (int32 in [0, size of axis)). */
export function take(x: Value, indices: Value, axis = 0): Value {
  return buildValue(takeDef, [x, indices], { axis: resolveAxis(axis, rankOf(x), "core/take") });
}

/** out[…, i, …] = x[…, indices[…, i, …], …]: one index per entry, as ONNX GatherElements. */
export function takeAlong(x: Value, indices: Value, axis: number): Value {
  return buildValue(takeAlongDef, [x, indices], {
    axis: resolveAxis(axis, rankOf(x), "core/takeAlong"),
  });
}

/** x with `updates` added at `indices` along `axis`; repeated indices add up, as ONNX ScatterElements. */
export function scatterAdd(x: Value, indices: Value, updates: Value, axis: number): Value {
  return buildValue(scatterAddDef, [x, indices, updates], {
    axis: resolveAxis(axis, rankOf(x), "core/scatterAdd"),
  });
}
