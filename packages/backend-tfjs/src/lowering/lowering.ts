/** What a lowering is: from a node with all sizes known and its operands to its results. */
import type { Attrs } from "@diptych/core";
import type {
  CompositeAttrs,
  CompositeName,
  PrimitiveAttrs,
  PrimitiveName,
} from "@diptych/core/backend";
import type { OpCall } from "../executor/device.js";
import type { Kernels, Tensor } from "./kernels.js";

export { operand, resultOf } from "../executor/op-call.js";

/** Fed or resident: the executor's. */
export type LeafName = "input" | "parameter" | "constant";
export type ComputedName = Exclude<PrimitiveName, LeafName>;

/** May leave temporaries to the scope that it runs in, and may return an operand as it is. */
export type Lowering<A extends Attrs = Attrs> = (
  call: OpCall<Tensor, A>,
  kernels: Kernels,
) => Tensor | readonly Tensor[];

/** A lowering for every primitive: a missing one does not compile. */
export type PrimitiveLowerings = {
  readonly [Name in ComputedName]: Lowering<PrimitiveAttrs[Name]>;
};

/** Lowerings of the composites that an engine has kernels for. */
export type CompositeLowerings = {
  readonly [Name in CompositeName]?: Lowering<CompositeAttrs[Name]>;
};

/** What an engine does otherwise than the common table. */
export type LoweringOverrides = Partial<PrimitiveLowerings> & CompositeLowerings;
