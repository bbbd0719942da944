/**
 * What an engine is: something that computes one node at a time on tensors of its own. The executor knows no more of it;
 * `T` is the engine's handle on a tensor.
 */
import type { Attrs, BackendCapabilities, DType, HostTensor, Node } from "@diptych/core";

export const ENGINE_NAMES = ["node-gpu", "node", "webgpu", "wasm", "cpu"] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

/** Attributes with every symbol replaced by its size. */
export type Concrete<A> = {
  readonly [K in keyof A]: K extends "dim"
    ? number
    : K extends "shape" | "begins" | "inputShape" | "filterShape"
      ? readonly number[]
      : A[K];
};

/** Type of a result, all sizes known. */
export interface ResultType {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** One node to compute. */
export interface Call<A = Attrs, T = unknown> {
  readonly node: Node;
  readonly attrs: Concrete<A>;
  readonly inputs: readonly T[];
  readonly results: readonly ResultType[];
}

export interface Engine<T = unknown> {
  readonly name: EngineName;
  readonly capabilities: BackendCapabilities;
  /** One line: versions, device, threads. */
  describe(): string;
  /** Makes it the process's engine for what follows: TensorFlow.js has one at a time. */
  activate(): Promise<void>;
  /** The node's results, in tensors of their own; operands stay. Temporaries are gone when it returns. */
  compute(call: Call<Attrs, T>): readonly T[];
  /** A copy on the device. */
  upload(tensor: HostTensor): T;
  /** As `upload`, of values that nobody writes while the tensor lives. */
  hold(tensor: HostTensor): T;
  read(tensor: T, type: ResultType): Promise<HostTensor>;
  /** Another handle on the same values, with a life of its own. */
  alias(tensor: T): T;
  free(tensor: T): void;
  /** Tensors that the engine itself counts as alive. */
  liveTensors(): number;
  dispose(): Promise<void>;
}
