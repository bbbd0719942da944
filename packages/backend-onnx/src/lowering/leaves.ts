/** Lowerings of leaves: inputs, parameters, constants, and sizes as values. */
import { isSymbolic, type Dim } from "@diptych/core";
import type { PrimitiveAttrs } from "@diptych/core/backend";
import { ONNX_TYPE_NUMBERS } from "../model-proto/onnx-model.js";
import type { Lowering, LoweringContext } from "./lowering.js";
import type { Name } from "./onnx-builder.js";

const input: Lowering<PrimitiveAttrs["input"]> = ({ attrs }, { onnx }) => onnx.input(attrs.name);

const constant: Lowering<PrimitiveAttrs["constant"]> = ({ attrs }, { onnx }) =>
  onnx.constant(attrs.value);

function sizeScalar(dim: Dim, { onnx, sizes }: LoweringContext): Name {
  if (!isSymbolic(dim)) return onnx.scalar("int32", dim);
  const scalar = onnx.node("Reshape", [sizes.size(dim), onnx.ints([])]);
  return onnx.node("Cast", [scalar], { to: ONNX_TYPE_NUMBERS.int32 });
}

const iota: Lowering<PrimitiveAttrs["iota"]> = ({ attrs }, context) => {
  const { onnx } = context;
  return onnx.node("Range", [
    onnx.scalar("int32", 0),
    sizeScalar(attrs.dim, context),
    onnx.scalar("int32", 1),
  ]);
};

const dimSize: Lowering<PrimitiveAttrs["dimSize"]> = ({ attrs }, context) =>
  sizeScalar(attrs.dim, context);

export const LEAF_LOWERINGS = { input, parameter: input, constant, iota, dimSize };
