/** What a lowering of the node engine is: a node's operands as TensorFlow's tensors to its results. */
import { InternalError, type Dim, type DType, type Node } from "@diptych/core";
import type {
  CompositeAttrs,
  CompositeName,
  PrimitiveAttrs,
  PrimitiveName,
} from "@diptych/core/backend";
import type { TfOps, TfTensor } from "./tf-ops.js";

/** One node in one run: sizes of results are numbers. */
export interface TfCall<A = unknown> {
  readonly node: Node;
  readonly attrs: A;
  readonly inputs: readonly TfTensor[];
  readonly results: readonly ResultType[];
  /** A size in this run. */
  readonly sizeOf: (dim: Dim) => number;
  /** What `make` makes of operand `index` alone, kept as long as that is; `make` gives its result away. */
  readonly derive: (index: number, key: string, make: () => TfTensor) => TfTensor;
}

export interface ResultType {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** May leave intermediate tensors to the scope that it runs in, and return an operand or a kept constant as it is. */
export type TfLowering<A = unknown> = (
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
