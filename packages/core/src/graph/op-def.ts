/** What an op is: its shape rule, and for composites its decomposition and, where it must, its own gradient. */
import type { Attrs, Value, ValueType } from "./node.js";

/** A primitive: a member of the closed table that every backend lowers. */
export interface PrimitiveDef<A extends Attrs = Attrs> {
  readonly kind: "primitive";
  readonly name: string;
  /** The types of the outputs; @throws ShapeError or DtypeError on operands that do not fit. */
  readonly infer: (inputs: readonly ValueType[], attrs: A) => readonly ValueType[];
}

/** What a composite's own gradient is given. */
export interface GradientContext<A extends Attrs = Attrs> {
  readonly inputs: readonly Value[];
  readonly attrs: A;
  /** The node's outputs (all of them may be used; those that nobody reads cost nothing on a backend that drops them). */
  readonly outputs: readonly Value[];
  /** Cotangent of each output, undefined where none flows. */
  readonly cotangents: readonly (Value | undefined)[];
}

/** An op made of others, which a backend may have a native kernel for. */
export interface CompositeDef<A extends Attrs = Attrs> {
  readonly kind: "composite";
  readonly name: string;
  readonly infer: (inputs: readonly ValueType[], attrs: A) => readonly ValueType[];
  /** The same outputs from primitives (and other composites). */
  readonly decompose: (inputs: readonly Value[], attrs: A) => readonly Value[];
  /** Cotangent of each input, undefined where none flows. A composite without it is expanded before autodiff. */
  readonly gradient?: (context: GradientContext<A>) => readonly (Value | undefined)[];
}

export type OpDef<A extends Attrs = Attrs> = PrimitiveDef<A> | CompositeDef<A>;
