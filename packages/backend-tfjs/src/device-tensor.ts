/** Device tensors: handles on an engine's tensors, which a run may spend or replace. */
import {
  BackendError,
  elementCount,
  equalShapes,
  formatShape,
  type DeviceTensor,
  type DType,
  type HostTensor,
} from "@diptych/core";
import type { Engine } from "./engines/engine.js";
import { takeTurn } from "./executor/turns.js";

/** Every live handle of one backend. */
export type LiveTensors = Set<TfjsDeviceTensor>;

const BYTES: Readonly<Record<DType, number>> = {
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int32: 4,
  bool: 1,
};

export class TfjsDeviceTensor implements DeviceTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly #engine: Engine;
  readonly #live: LiveTensors;
  #handle: unknown;
  #state: "live" | "disposed" | "donated" = "live";

  constructor(
    handle: unknown,
    { dtype, shape }: { readonly dtype: DType; readonly shape: readonly number[] },
    engine: Engine,
    live: LiveTensors,
  ) {
    this.dtype = dtype;
    this.shape = Object.freeze([...shape]);
    this.#handle = handle;
    this.#engine = engine;
    this.#live = live;
    live.add(this);
  }

  get byteLength(): number {
    return BYTES[this.dtype] * elementCount(this.shape);
  }

  /** Whether the tensor belongs to the backend with these live tensors. */
  isOf(live: LiveTensors): boolean {
    return this.#live === live;
  }

  /** The engine's tensor. @throws BackendError when disposed or donated. */
  handle(what: string): unknown {
    if (this.#state === "live") return this.#handle;
    const remedy =
      this.#state === "donated"
        ? "Feed the output that took its place."
        : "Dispose a tensor after its last use.";
    throw new BackendError(
      `backend-tfjs: ${what}: expected a live tensor, got one that was ${this.#state}. ${remedy}`,
    );
  }

  async read(): Promise<HostTensor> {
    this.handle("read");
    return takeTurn(this.#engine, () => this.#engine.read(this.handle("read"), this));
  }

  async write(tensor: HostTensor): Promise<void> {
    checkSameType("write", this, tensor);
    this.handle("write");
    // Copied now: the caller may reuse the array as soon as this returns.
    const copy = { ...tensor, data: tensor.data.slice() } as HostTensor;
    await takeTurn(this.#engine, () => {
      this.handle("write");
      this.replace(this.#engine.hold(copy));
    });
  }

  dispose(): void {
    if (this.#state === "live") this.#engine.free(this.#handle);
    if (this.#state !== "donated") this.#state = "disposed";
    this.#live.delete(this);
  }

  /** Takes another of the engine's tensors in exchange for its own, which is freed. */
  replace(handle: unknown): void {
    if (this.#state === "live") this.#engine.free(this.#handle);
    this.#handle = handle;
    if (this.#state !== "live") this.#engine.free(handle);
  }

  /** Gives its tensor up to a run. */
  spend(): void {
    this.#state = "donated";
    this.#live.delete(this);
  }

  /** Takes `spend` back: the run did not happen. */
  restore(): void {
    this.#state = "live";
    this.#live.add(this);
  }
}

/** @throws BackendError unless both have one dtype and one shape. */
export function checkSameType(
  what: string,
  wanted: { readonly dtype: DType; readonly shape: readonly number[] },
  given: { readonly dtype: DType; readonly shape: readonly number[] },
): void {
  if (wanted.dtype === given.dtype && equalShapes(wanted.shape, given.shape)) return;
  throw new BackendError(
    `backend-tfjs: ${what}: expected ${wanted.dtype}${formatShape(wanted.shape)}, got ${given.dtype}${formatShape(given.shape)}.`,
  );
}
