/** What a lowering is: from a node of the core graph and the names of its operands to the names of its results. */
import { InternalError, type Attrs, type DType, type ValueType } from "@diptych/core";
import type {
  CompositeAttrs,
  CompositeName,
  PrimitiveAttrs,
  PrimitiveName,
} from "@diptych/core/backend";
import type { Name, OnnxBuilder } from "./onnx-builder.js";
import type { Sizes } from "./sizes.js";

/** Where a lowering puts its nodes. */
export interface LoweringContext {
  readonly onnx: OnnxBuilder;
  readonly sizes: Sizes;
  /** What the node's floats are when it is lowered: float32, unless its kernels take fewer bits. */
  readonly float: DType;
}

/** The node to lower. */
export interface LoweredNode<A extends Attrs> {
  readonly attrs: A;
  readonly inputs: readonly Name[];
  readonly inputTypes: readonly ValueType[];
  readonly outputTypes: readonly ValueType[];
}

/** One name per output of the node; a single one may come without the list. */
export type Lowering<A extends Attrs = Attrs> = (
  node: LoweredNode<A>,
  context: LoweringContext,
) => Name | readonly Name[];

/** A lowering for every primitive: a missing one does not compile. */
export type PrimitiveLowerings = {
  readonly [Name in PrimitiveName]: Lowering<PrimitiveAttrs[Name]>;
};

/** Lowerings of some composites. */
export type CompositeLowerings = {
  readonly [Name in CompositeName]?: Lowering<CompositeAttrs[Name]>;
};

/** Operand `index` with its type. */
export function operand<A extends Attrs>(
  node: LoweredNode<A>,
  index: number,
): ValueType & { readonly name: Name } {
  const name = node.inputs[index];
  const type = node.inputTypes[index];
  if (name === undefined || type === undefined) {
    throw new InternalError(`backend-onnx/lowering: operand ${index}: expected it to exist.`);
  }
  return { name, ...type };
}

/** Type of the first output. */
export function resultType<A extends Attrs>(node: LoweredNode<A>): ValueType {
  const [type] = node.outputTypes;
  if (!type) throw new InternalError("backend-onnx/lowering: outputs: expected at least one.");
  return type;
}
