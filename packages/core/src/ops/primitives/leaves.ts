/** Leaves: inputs, parameters, constants, and the two primitives that turn a dim into a value. */
import { buildValue } from "../../graph/builder.js";
import type { Value } from "../../graph/node.js";
import type { PrimitiveDef } from "../../graph/op-def.js";
import type { DType } from "../../tensor/dtype.js";
import type { Dim } from "../../tensor/dim.js";
import { scalarHost, type HostTensor } from "../../tensor/host-tensor.js";
import { createShape, type Shape } from "../../tensor/shape.js";
import type { PrimitiveAttrs } from "../primitive-table.js";

export const inputDef: PrimitiveDef<PrimitiveAttrs["input"]> = {
  kind: "primitive",
  name: "input",
  infer: (_, { shape, dtype }) => [{ shape, dtype }],
};

export const parameterDef: PrimitiveDef<PrimitiveAttrs["parameter"]> = {
  kind: "primitive",
  name: "parameter",
  infer: (_, { shape, dtype }) => [{ shape, dtype }],
};

export const constantDef: PrimitiveDef<PrimitiveAttrs["constant"]> = {
  kind: "primitive",
  name: "constant",
  infer: (_, { value }) => [{ shape: createShape(value.shape), dtype: value.dtype }],
};

export const iotaDef: PrimitiveDef<PrimitiveAttrs["iota"]> = {
  kind: "primitive",
  name: "iota",
  infer: (_, { dim }) => [{ shape: createShape([dim]), dtype: "int32" }],
};

export const dimSizeDef: PrimitiveDef<PrimitiveAttrs["dimSize"]> = {
  kind: "primitive",
  name: "dimSize",
  infer: () => [{ shape: createShape([]), dtype: "int32" }],
};

/** A value fed at each run under `name`. */
export function input(name: string, shape: Shape, dtype: DType = "float32"): Value {
  return buildValue(inputDef, [], { name, shape: createShape(shape), dtype });
}

/** A weight or buffer, resident between runs, under its state-dict name. */
export function parameter(name: string, shape: Shape, dtype: DType = "float32"): Value {
  return buildValue(parameterDef, [], { name, shape: createShape(shape), dtype });
}

export function constant(value: HostTensor): Value {
  return buildValue(constantDef, [], { value });
}

/** A scalar constant of `dtype`. */
export function scalar(value: number, dtype: DType = "float32"): Value {
  return constant(scalarHost(dtype, value));
}

/** int32 [dim]: 0, 1, …, dim−1. */
export function iota(dim: Dim): Value {
  return buildValue(iotaDef, [], { dim });
}

/** The size of `dim` as an int32 scalar; a constant once the dim is bound. */
export function dimSize(dim: Dim): Value {
  return buildValue(dimSizeDef, [], { dim });
}
