/** Lowerings of what moves entries: reshape, transpose, broadcast, slice, pad, concat. */
import { addDims, equalDims, isSymbolic, subDims, type Dim, type Shape } from "@diptych/core";
import type { PrimitiveAttrs } from "@diptych/core/backend";
import { operand, type Lowering, type LoweringContext } from "./lowering.js";
import type { Name } from "./onnx-builder.js";

/**
 * x in another shape. Symbolic sizes need no computation where the target repeats the source's axis (ONNX's 0) or
 * where only one is left over (−1).
 */
export function reshapeTo(x: Name, from: Shape, to: Shape, { onnx, sizes }: LoweringContext): Name {
  if (from.length === to.length && from.every((dim, i) => equalDims(dim, to[i] ?? -1))) return x;
  const zeros = to.some((dim) => dim === 0);
  const codes = to.map((dim, axis): number => {
    if (!isSymbolic(dim)) return dim;
    return equalDims(from[axis] ?? -1, dim) ? 0 : -1;
  });
  const open = codes.filter((code) => code === -1).length;
  const copied = codes.filter((code) => code === 0).length;
  // A size of 0 means "copy" to ONNX, and −1 beside a copied axis of size 0 has no answer.
  if (!zeros && (open === 0 || (open === 1 && copied === 0))) {
    return onnx.node("Reshape", [x, onnx.ints(codes)]);
  }
  return onnx.node("Reshape", [x, sizes.vector(to)], { allowzero: 1 });
}

/** x stretched to a shape. An axis that x has already is written as 1, so that its size need not be known. */
export function expandTo(x: Name, from: Shape, to: Shape, { onnx, sizes }: LoweringContext): Name {
  const offset = to.length - from.length;
  const target = to.map((dim, axis) =>
    axis >= offset && equalDims(from[axis - offset] ?? -1, dim) ? 1 : dim,
  );
  return onnx.node("Expand", [x, sizes.vector(target)]);
}

/** Axis i of the result is axis `permutation[i]` of x. */
export function transposeTo(
  x: Name,
  permutation: readonly number[],
  { onnx }: LoweringContext,
): Name {
  if (permutation.every((axis, i) => axis === i)) return x;
  return onnx.node("Transpose", [x], { perm: permutation });
}

/** A window of x along the axes where it is smaller than x. */
export function windowOf(
  x: Name,
  { from, begins, shape }: { from: Shape; begins: readonly Dim[]; shape: Shape },
  { onnx, sizes }: LoweringContext,
): Name {
  const axes = shape.flatMap((dim, axis) => (equalDims(dim, from[axis] ?? -1) ? [] : [axis]));
  if (axes.length === 0) return x;
  const at = (dims: readonly Dim[]): Dim[] => axes.map((axis) => dims[axis] ?? 0);
  const ends = at(begins.map((begin, axis) => addDims(begin, shape[axis] ?? 0)));
  return onnx.node("Slice", [x, sizes.vector(at(begins)), sizes.vector(ends), onnx.ints(axes)]);
}

/** x in the middle of zeros (false for bool). */
export function padTo(
  x: Name,
  { from, begins, shape, zero }: { from: Shape; begins: readonly Dim[]; shape: Shape; zero: Name },
  { onnx, sizes }: LoweringContext,
): Name {
  const ends = shape.map((dim, axis) => subDims(dim, addDims(begins[axis] ?? 0, from[axis] ?? 0)));
  if ([...begins, ...ends].every((dim) => dim === 0)) return x;
  return onnx.node("Pad", [x, sizes.vector([...begins, ...ends]), zero], { mode: "constant" });
}

const reshape: Lowering<PrimitiveAttrs["reshape"]> = (node, context) => {
  const x = operand(node, 0);
  return reshapeTo(x.name, x.shape, node.attrs.shape, context);
};

const transpose: Lowering<PrimitiveAttrs["transpose"]> = (node, context) =>
  transposeTo(operand(node, 0).name, node.attrs.permutation, context);

const broadcast: Lowering<PrimitiveAttrs["broadcast"]> = (node, context) => {
  const x = operand(node, 0);
  return expandTo(x.name, x.shape, node.attrs.shape, context);
};

/** A window of integers where Slice does not take them: each axis's entries gathered. Open ones are left to Slice. */
function integerWindow(
  x: Name,
  { from, begins, shape }: { from: Shape; begins: readonly Dim[]; shape: Shape },
  context: LoweringContext,
): Name {
  if ([...from, ...begins, ...shape].some(isSymbolic))
    return windowOf(x, { from, begins, shape }, context);
  return shape.reduce<Name>((current, size, axis) => {
    if (isSymbolic(size) || size === from[axis]) return current;
    const begin = Number(begins[axis] ?? 0);
    const indices = context.onnx.ints(Array.from({ length: size }, (_, i) => begin + i));
    return context.onnx.node("Gather", [current, indices], { axis });
  }, x);
}

const slice: Lowering<PrimitiveAttrs["slice"]> = (node, context) => {
  const x = operand(node, 0);
  const window = { from: x.shape, ...node.attrs };
  if (x.dtype === "int32" && !context.onnx.target.integerKernels)
    return integerWindow(x.name, window, context);
  return windowOf(x.name, window, context);
};

const pad: Lowering<PrimitiveAttrs["pad"]> = (node, context) => {
  const x = operand(node, 0);
  const zero = context.onnx.scalar(x.dtype, 0);
  return padTo(x.name, { from: x.shape, ...node.attrs, zero }, context);
};

const concat: Lowering<PrimitiveAttrs["concat"]> = (node, { onnx }) => {
  const { axis } = node.attrs;
  // An operand without entries adds nothing, and some providers refuse it.
  const parts = node.inputs.filter((_, i) => operand(node, i).shape[axis] !== 0);
  const [only] = parts.length === 0 ? node.inputs : parts;
  if (parts.length <= 1 && only !== undefined) return only;
  return onnx.node("Concat", parts, { axis });
};

export const LAYOUT_LOWERINGS = { reshape, transpose, broadcast, slice, pad, concat };
