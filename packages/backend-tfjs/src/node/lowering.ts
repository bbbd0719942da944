/** What a lowering of the node engine is: a node's operands as TensorFlow's tensors to its results. */
import { InternalError } from "@diptych/core";
import type {
  CompositeAttrs,
  CompositeName,
  PrimitiveAttrs,
  PrimitiveName,
} from "@diptych/core/backend";
import type { Call, ResultType } from "../engines/engine.js";
import type { TfOps, TfTensor } from "./tf-ops.js";

/** One node in one run. */
export type TfCall<A> = Call<A, TfTensor>;

/** May leave intermediate tensors to the scope that it runs in, and return an operand or a kept constant as it is. */
export type TfLowering<A = unknown> = (
  call: TfCall<A>,
  tf: TfOps,
) => TfTensor | readonly TfTensor[];

/** What the executor feeds or makes once. */
type GivenName = "input" | "parameter" | "constant";

/** A lowering for every primitive: a missing one does not compile. */
export type TfPrimitiveLowerings = {
  readonly [Name in Exclude<PrimitiveName, GivenName>]: TfLowering<PrimitiveAttrs[Name]>;
};

export type TfCompositeLowerings = {
  readonly [Name in CompositeName]?: TfLowering<CompositeAttrs[Name]>;
};

export function operand<A>({ inputs, node }: TfCall<A>, index: number): TfTensor {
  const tensor = inputs[index];
  if (tensor) return tensor;
  throw new InternalError(`backend-tfjs/node: ${node.op}: expected operand ${index}, got none.`);
}

/** Type of the first result. */
export function resultOf<A>({ results, node }: TfCall<A>): ResultType {
  const [type] = results;
  if (type) return type;
  throw new InternalError(`backend-tfjs/node: ${node.op}: expected a result, got none.`);
}
