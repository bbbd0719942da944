/** Nodes and values: the frozen data that a graph is made of. A value is one output of a node and has no methods; ops are free functions. */
import type { DType } from "../tensor/dtype.js";
import type { Dim } from "../tensor/dim.js";
import type { HostTensor } from "../tensor/host-tensor.js";
import type { Shape } from "../tensor/shape.js";

/** Shape and element type of one output. */
export interface ValueType {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** What an attribute may hold: plain data only, so that nodes can be printed, compared and rewritten. */
export type AttrValue =
  | number
  | string
  | boolean
  | undefined
  | Dim
  | HostTensor
  | readonly number[]
  | readonly Dim[]
  | readonly string[];

export type Attrs = Readonly<Record<string, AttrValue>>;

/** One operation with its operands. */
export interface Node {
  readonly op: string;
  readonly inputs: readonly Value[];
  readonly attrs: Attrs;
  readonly outputs: readonly ValueType[];
  /** Where in the model it was built, e.g. `visual/transformer/resblocks.0/mlp`; empty outside any scope. */
  readonly origin: string;
  /** Rematerialisation group: nodes of different groups are never merged. Empty for nodes built normally. */
  readonly recompute: string;
}

/** Output `index` of `node`. */
export interface Value {
  readonly node: Node;
  readonly index: number;
}

export function typeOf(value: Value): ValueType {
  const type = value.node.outputs[value.index];
  if (!type) throw new RangeError(`output ${value.index} of ${value.node.op} does not exist`);
  return type;
}

export function shapeOf(value: Value): Shape {
  return typeOf(value).shape;
}

export function dtypeOf(value: Value): DType {
  return typeOf(value).dtype;
}

export function rankOf(value: Value): number {
  return typeOf(value).shape.length;
}
