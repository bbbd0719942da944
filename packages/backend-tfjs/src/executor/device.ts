/** What the executor needs of an engine: tensors by handle, and each node of a graph as calls of it. */
import type { Attrs, Dim, DType, HostTensor, Node } from "@diptych/core";

/** An engine's tensor. The executor never looks inside; whoever holds one frees it, once. */
export interface Handle {
  readonly shape: readonly number[];
}

/** The type of one result in one run: all sizes are numbers. */
export interface ConcreteType {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** One node in one run. */
export interface OpCall<T extends Handle = Handle, A extends Attrs = Attrs> {
  readonly node: Node;
  readonly attrs: A;
  readonly inputs: readonly T[];
  readonly outputs: readonly ConcreteType[];
  /** A size in this run. */
  readonly sizeOf: (dim: Dim) => number;
  /**
   * What `make` makes of operand `index` alone (its transpose, say), kept as long as the operand is: of a constant it is made
   * once. `make` gives its result away; it is not freed by the caller.
   */
  readonly derive: (index: number, key: string, make: () => T) => T;
}

/** One engine as it executes. Methods, so that a device of some handle stands where any device is asked for. */
export interface Device<T extends Handle = Handle> {
  /** Whether ops are done when `execute` returns; a run then leaves the event loop to others now and then. */
  readonly synchronous: boolean;
  /** Bytes that the engine can hold, where going beyond would not end in an error of its own. */
  readonly memoryLimit?: number;
  /** Makes the engine the one that ops go to: TensorFlow.js has one at a time. */
  enter(): Promise<void>;
  /** A copy of `tensor`; with `lasting`, its array may be read as long as the handle lives. Needs no `enter`. */
  upload(tensor: HostTensor, lasting?: "lasting"): T;
  /** A copy on the host of what the handle holds once all work before is done. Needs no `enter`. */
  read(handle: T, type: ConcreteType): Promise<HostTensor>;
  /** Another handle on the same values. */
  alias(handle: T): T;
  free(handle: T): void;
  /** New handles, one for each result; none is an operand. */
  execute(call: OpCall<T>): readonly T[];
  /** The engine's own count of what is alive, of all its users in this process. */
  usage(): { readonly tensors: number; readonly bytes: number };
  /** What went wrong on the device behind the calls' back, once. */
  takeFailure?(): string | undefined;
  /** Frees what the device keeps for itself; tensors are their owners'. */
  dispose(): void;
}
