/** What a lowering of the node engine is: a node's operands as TensorFlow's tensors to its results. */
import type { Attrs } from "@diptych/core";
import type {
  CompositeAttrs,
  CompositeName,
  PrimitiveAttrs,
  PrimitiveName,
} from "@diptych/core/backend";
import type { OpCall } from "../executor/device.js";
import type { TfOps, TfTensor } from "./tf-ops.js";

export { operand, resultOf } from "../executor/op-call.js";

/** One node in one run. */
export type TfCall<A extends Attrs = Attrs> = OpCall<TfTensor, A>;

/** May leave intermediate tensors to the scope that it runs in, and return an operand or a kept constant as it is. */
export type TfLowering<A extends Attrs = Attrs> = (
  call: TfCall<A>,
  tf: TfOps,
) => TfTensor | readonly TfTensor[];

/** What the executor feeds. */
type FedName = "input" | "parameter";

/** A lowering for every primitive: a missing one does not compile. */
export type TfPrimitiveLowerings = {
  readonly [Name in Exclude<PrimitiveName, FedName>]: TfLowering<PrimitiveAttrs[Name]>;
};

export type TfCompositeLowerings = {
  readonly [Name in CompositeName]?: TfLowering<CompositeAttrs[Name]>;
};
