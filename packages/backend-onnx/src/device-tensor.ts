/** Device tensors: handles on the runtime's memory that can be spent by a donation. */
import {
  BackendError,
  createHostArray,
  createHostTensor,
  elementCount,
  hostBytes,
  type DeviceTensor,
  type DType,
  type HostTensor,
} from "@diptych/core";
import type { OrtRuntime, OrtTensor } from "./runtime/ort-runtime.js";

/** Every live handle of one backend. */
export type LiveTensors = Set<OnnxDeviceTensor>;

/** What a tensor belongs to. */
export interface TensorHome {
  readonly runtime: OrtRuntime;
  readonly live: LiveTensors;
}

export class OnnxDeviceTensor implements DeviceTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly #home: TensorHome;
  #memory: OrtTensor;
  #state: "live" | "disposed" | "donated" = "live";
  /** Settles when the runs and writes that use the tensor have ended. */
  #runs: Promise<void> = Promise.resolve();

  constructor(dtype: DType, memory: OrtTensor, home: TensorHome) {
    this.dtype = dtype;
    this.shape = memory.shape;
    this.#memory = memory;
    this.#home = home;
    home.live.add(this);
  }

  get byteLength(): number {
    return this.#memory.byteLength;
  }

  /** Whether the tensor belongs to the backend with these live tensors. */
  isOf(live: LiveTensors): boolean {
    return this.#home.live === live;
  }

  /** The memory, for a run. @throws BackendError when disposed or donated. */
  memory(what: string): OrtTensor {
    if (this.#state === "live") return this.#memory;
    const remedy =
      this.#state === "donated"
        ? "Feed the output that took its memory."
        : "Dispose a tensor after its last use.";
    throw new BackendError(
      `backend-onnx: ${what}: expected a live tensor, got one that was ${this.#state}. ${remedy}`,
    );
  }

  async read(): Promise<HostTensor> {
    this.memory("read");
    await this.#runs;
    const memory = this.memory("read");
    const data = createHostArray(this.dtype, elementCount(this.shape));
    const tensor = createHostTensor(this.dtype, this.shape, data);
    await this.#home.runtime.read(memory, hostBytes(tensor));
    return tensor;
  }

  async write(tensor: HostTensor): Promise<void> {
    checkSameType("write", this, tensor);
    this.memory("write");
    await this.#runs;
    const written = this.#home.runtime.write(this.memory("write"), hostBytes(tensor));
    this.waitFor(written);
    await written;
  }

  dispose(): void {
    if (this.#state === "live") this.#memory.dispose();
    if (this.#state !== "donated") this.#state = "disposed";
    this.#home.live.delete(this);
  }

  /** Reads and writes wait for the run. */
  waitFor(run: Promise<unknown>): void {
    // Without their results, which would keep every run's outputs alive.
    this.#runs = Promise.allSettled([this.#runs, run]).then(() => undefined);
  }

  /** Marks the tensor as used up by a run. */
  spend(): void {
    this.#state = "donated";
    this.#home.live.delete(this);
  }

  /** Takes `spend` back: the run did not happen. */
  restore(): void {
    this.#state = "live";
    this.#home.live.add(this);
  }

  /** Gives up the memory for another of the same type. */
  replaceMemory(memory: OrtTensor): void {
    if (this.#state === "live") this.#memory.dispose();
    this.#memory = memory;
    if (this.#state !== "live") memory.dispose();
  }
}

/** @throws BackendError unless both have one dtype and one shape. */
export function checkSameType(
  what: string,
  wanted: { readonly dtype: DType; readonly shape: readonly number[] },
  given: { readonly dtype: DType; readonly shape: readonly number[] },
): void {
  const same =
    wanted.dtype === given.dtype &&
    wanted.shape.length === given.shape.length &&
    wanted.shape.every((size, axis) => size === given.shape[axis]);
  if (same) return;
  throw new BackendError(
    `backend-onnx: ${what}: expected ${wanted.dtype}[${wanted.shape.join(", ")}], got ${given.dtype}[${given.shape.join(", ")}].`,
  );
}
