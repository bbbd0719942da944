/** Primitives that move entries without computing: reshape, transpose, broadcast, slice, pad, concat. */
import { ShapeError } from "../../errors.js";
import { buildValue } from "../../graph/builder.js";
import { rankOf, shapeOf, type Value } from "../../graph/node.js";
import type { PrimitiveDef } from "../../graph/op-def.js";
import { broadcastShapes } from "../../tensor/broadcast.js";
import {
  addDims,
  divideExactly,
  equalDims,
  formatDim,
  mulDims,
  subDims,
  type Dim,
} from "../../tensor/dim.js";
import {
  createShape,
  equalShapes,
  formatShape,
  resolveAxis,
  shapeSize,
  type Shape,
} from "../../tensor/shape.js";
import type { PrimitiveAttrs } from "../primitive-table.js";
import { onlyType } from "./arity.js";

export const reshapeDef: PrimitiveDef<PrimitiveAttrs["reshape"]> = {
  kind: "primitive",
  name: "reshape",
  infer: (types, { shape }) => {
    const x = onlyType("reshape", types);
    if (!equalDims(shapeSize(x.shape), shapeSize(shape))) {
      throw new ShapeError(
        `core/reshape: shape: expected ${formatDim(shapeSize(x.shape))} elements as ${formatShape(x.shape)} has, got ${formatDim(shapeSize(shape))} in ${formatShape(shape)}.`,
      );
    }
    return [{ shape, dtype: x.dtype }];
  },
};

export const transposeDef: PrimitiveDef<PrimitiveAttrs["transpose"]> = {
  kind: "primitive",
  name: "transpose",
  infer: (types, { permutation }) => {
    const x = onlyType("transpose", types);
    const valid =
      permutation.length === x.shape.length &&
      [...permutation].sort((a, b) => a - b).every((axis, i) => axis === i);
    if (!valid) {
      throw new ShapeError(
        `core/transpose: permutation: expected each axis of ${formatShape(x.shape)} once, got [${permutation.join(", ")}].`,
      );
    }
    return [{ shape: createShape(permutation.map((axis) => x.shape[axis] ?? 1)), dtype: x.dtype }];
  },
};

export const broadcastDef: PrimitiveDef<PrimitiveAttrs["broadcast"]> = {
  kind: "primitive",
  name: "broadcast",
  infer: (types, { shape }) => {
    const x = onlyType("broadcast", types);
    if (!equalShapes(broadcastShapes("core/broadcast", x.shape, shape), shape)) {
      throw new ShapeError(
        `core/broadcast: shape: expected a shape that ${formatShape(x.shape)} stretches to, got ${formatShape(shape)}.`,
      );
    }
    return [{ shape, dtype: x.dtype }];
  },
};

/** Checks a window of size `inner` at `begins` inside `outer`, as far as numbers allow. */
function checkWindow(op: string, outer: Shape, begins: readonly Dim[], inner: Shape): void {
  const fits =
    begins.length === outer.length &&
    inner.length === outer.length &&
    outer.every((size, axis) => {
      const begin = begins[axis] ?? 0;
      const rest = subDims(size, addDims(begin, inner[axis] ?? 0));
      return (typeof rest !== "number" || rest >= 0) && (typeof begin !== "number" || begin >= 0);
    });
  if (!fits) {
    throw new ShapeError(
      `core/${op}: window: expected a window inside ${formatShape(outer)}, got ${formatShape(inner)} at ${formatShape(begins)}.`,
    );
  }
}

export const sliceDef: PrimitiveDef<PrimitiveAttrs["slice"]> = {
  kind: "primitive",
  name: "slice",
  infer: (types, { begins, shape }) => {
    const x = onlyType("slice", types);
    checkWindow("slice", x.shape, begins, shape);
    return [{ shape, dtype: x.dtype }];
  },
};

export const padDef: PrimitiveDef<PrimitiveAttrs["pad"]> = {
  kind: "primitive",
  name: "pad",
  infer: (types, { begins, shape }) => {
    const x = onlyType("pad", types);
    checkWindow("pad", shape, begins, x.shape);
    return [{ shape, dtype: x.dtype }];
  },
};

export const concatDef: PrimitiveDef<PrimitiveAttrs["concat"]> = {
  kind: "primitive",
  name: "concat",
  infer: (types, { axis }) => {
    const [first] = types;
    if (!first) throw new ShapeError("core/concat: operands: expected at least one, got none.");
    for (const { shape, dtype } of types) {
      const matches =
        dtype === first.dtype &&
        shape.length === first.shape.length &&
        shape.every((dim, i) => i === axis || equalDims(dim, first.shape[i] ?? -1));
      if (!matches || axis >= shape.length) {
        throw new ShapeError(
          `core/concat: operands: expected one dtype and equal axes but ${axis}, got ${types.map((t) => `${t.dtype}${formatShape(t.shape)}`).join(", ")}.`,
        );
      }
    }
    const size = addDims(...types.map((type) => type.shape[axis] ?? 0));
    return [
      {
        shape: createShape(first.shape.map((dim, i) => (i === axis ? size : dim))),
        dtype: first.dtype,
      },
    ];
  },
};

/** x in another shape, row-major. One dim may be −1: what is left over. */
export function reshape(x: Value, shape: readonly Dim[]): Value {
  const known = mulDims(...shape.filter((dim) => dim !== -1));
  const total = shapeSize(shapeOf(x));
  const resolved = shape.map((dim) => {
    if (dim !== -1) return dim;
    const rest = divideExactly(total, known);
    if (rest === undefined) {
      throw new ShapeError(
        `core/reshape: shape: expected ${formatDim(known)} to divide ${formatDim(total)}, got a remainder for -1 (from ${formatShape(shapeOf(x))}).`,
      );
    }
    return rest;
  });
  if (equalShapes(resolved, shapeOf(x))) return x;
  return buildValue(reshapeDef, [x], { shape: createShape(resolved) });
}

/** Output axis i is input axis `permutation[i]`; without a permutation the last two axes are swapped. */
export function transpose(x: Value, permutation?: readonly number[]): Value {
  const rank = rankOf(x);
  const swapped = Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i));
  return buildValue(transposeDef, [x], {
    permutation: permutation?.map((axis) => resolveAxis(axis, rank, "core/transpose")) ?? swapped,
  });
}

/** x stretched to `shape` (axes align at the end, a literal 1 stretches). */
export function broadcast(x: Value, shape: readonly Dim[]): Value {
  if (equalShapes(shapeOf(x), shape)) return x;
  return buildValue(broadcastDef, [x], { shape: createShape(shape) });
}

/** The window of x of size `shape` that starts at `begins`. */
export function slice(x: Value, begins: readonly Dim[], shape: readonly Dim[]): Value {
  return buildValue(sliceDef, [x], {
    begins: Object.freeze([...begins]),
    shape: createShape(shape),
  });
}

/** `size` entries of x from `begin` along one axis. */
export function sliceAxis(x: Value, axis: number, begin: Dim, size: Dim): Value {
  const at = resolveAxis(axis, rankOf(x), "core/sliceAxis");
  const shape = shapeOf(x);
  return slice(
    x,
    shape.map((_, i) => (i === at ? begin : 0)),
    shape.map((dim, i) => (i === at ? size : dim)),
  );
}

/** Zeros of `shape` with x written at `begins`. */
export function pad(x: Value, begins: readonly Dim[], shape: readonly Dim[]): Value {
  return buildValue(padDef, [x], { begins: Object.freeze([...begins]), shape: createShape(shape) });
}

/** The operands one after another along `axis`. */
export function concat(values: readonly Value[], axis: number): Value {
  const [first] = values;
  if (!first) throw new ShapeError("core/concat: operands: expected at least one, got none.");
  if (values.length === 1) return first;
  return buildValue(concatDef, values, { axis: resolveAxis(axis, rankOf(first), "core/concat") });
}
