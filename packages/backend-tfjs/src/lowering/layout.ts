/** Shapes, windows, joins, and numbers that only sizes tell. */
import { ShapeError } from "@diptych/core";
import type { PrimitiveAttrs } from "@diptych/core/backend";
import { sizeOf } from "./kernels.js";
import { operand, resultOf, type ComputedName, type Lowering } from "./lowering.js";

const iota: Lowering<PrimitiveAttrs["iota"]> = ({ attrs, sizeOf: size }, kernels) => {
  const count = size(attrs.dim);
  return kernels.values(
    "int32",
    [count],
    Int32Array.from({ length: count }, (_, i) => i),
  );
};

const dimSize: Lowering<PrimitiveAttrs["dimSize"]> = ({ attrs, sizeOf: size }, kernels) =>
  kernels.scalar(size(attrs.dim), "int32");

const reshape: Lowering<PrimitiveAttrs["reshape"]> = (call, kernels) =>
  kernels.reshape(operand(call, 0), resultOf(call).shape);

const transpose: Lowering<PrimitiveAttrs["transpose"]> = (call, kernels) =>
  kernels.transpose(operand(call, 0), call.attrs.permutation);

const broadcast: Lowering<PrimitiveAttrs["broadcast"]> = (call, kernels) =>
  kernels.broadcast(operand(call, 0), resultOf(call).shape);

/** Windows with symbolic bounds are checked here, where their numbers are known. @throws ShapeError. */
function checkWindow(
  what: string,
  outer: readonly number[],
  [begins, inner]: readonly [readonly number[], readonly number[]],
): void {
  if (outer.every((size, i) => begins[i]! >= 0 && begins[i]! + inner[i]! <= size)) return;
  throw new ShapeError(
    `backend-tfjs/${what}: window: expected a window inside [${outer.join(", ")}], got [${inner.join(", ")}] at [${begins.join(", ")}]. Feed sizes that it fits.`,
  );
}

const slice: Lowering<PrimitiveAttrs["slice"]> = (call, kernels) => {
  const begins = call.attrs.begins.map(call.sizeOf);
  const { shape } = resultOf(call);
  const x = operand(call, 0);
  checkWindow("slice", x.shape, [begins, shape]);
  return kernels.slice(x, begins, shape);
};

const pad: Lowering<PrimitiveAttrs["pad"]> = (call, kernels) => {
  const { shape, dtype } = resultOf(call);
  const x = operand(call, 0);
  const begins = call.attrs.begins.map(call.sizeOf);
  checkWindow("pad", shape, [begins, x.shape]);
  if (sizeOf(x) === 0) return kernels.fill(shape, 0, dtype);
  // Not every engine pads booleans.
  if (dtype !== "bool") return kernels.pad(x, begins, shape);
  return kernels.cast(kernels.pad(kernels.cast(x, "int32"), begins, shape), "bool");
};

/** Kernels do not join what is empty. */
const concat: Lowering<PrimitiveAttrs["concat"]> = (call, kernels) =>
  kernels.concat(
    call.inputs.filter((tensor) => sizeOf(tensor) > 0),
    call.attrs.axis,
  );

export const LAYOUT = {
  iota,
  dimSize,
  reshape,
  transpose,
  broadcast,
  slice,
  pad,
  concat,
} satisfies { readonly [Name in ComputedName]?: Lowering<PrimitiveAttrs[Name]> };
