/** Leaves: what is fed, constants, and dims as values. */
import type { PrimitiveAttrs } from "../../ops/primitive-table.js";
import { evaluateDim } from "../../tensor/dim.js";
import { hostValues } from "../../tensor/host-tensor.js";
import type { Kernel } from "./kernel.js";

const fed: Kernel<PrimitiveAttrs["input"]> = (_, { name }, { feed }) => feed(name);

export const leafKernels = {
  input: fed,
  parameter: fed,
  constant: ((_, { value }) => hostValues(value)) satisfies Kernel<PrimitiveAttrs["constant"]>,
  iota: ((_, __, { shape }) =>
    Float64Array.from({ length: shape[0]! }, (_item, i) => i)) satisfies Kernel<
    PrimitiveAttrs["iota"]
  >,
  dimSize: ((_, { dim }, { binding }) =>
    Float64Array.of(evaluateDim(dim, binding))) satisfies Kernel<PrimitiveAttrs["dimSize"]>,
} as const;
