/** Device tensors: an engine's handle with an owner, which a run may hold and a donation may spend. */
import {
  BackendError,
  BYTES_PER_ELEMENT,
  DtypeError,
  elementCount,
  ShapeError,
  type DeviceTensor,
  type DType,
  type HostTensor,
} from "@diptych/core";
import type { Device, Handle } from "./device.js";

/** Every live tensor of one backend. */
export type LiveTensors = Set<TfjsDeviceTensor>;

export class TfjsDeviceTensor implements DeviceTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly #device: Device;
  readonly #live: LiveTensors;
  #handle: Handle;
  #state: "live" | "disposed" | "donated" = "live";
  /** Runs that read the handle; what is replaced or disposed meanwhile is freed when they have ended. */
  #holds = 0;
  #retired: Handle[] = [];
  /** Settles when the runs that use the tensor have ended. */
  #runs: Promise<void> = Promise.resolve();

  constructor(
    type: { readonly dtype: DType; readonly shape: readonly number[] },
    handle: Handle,
    { device, live }: { readonly device: Device; readonly live: LiveTensors },
  ) {
    this.dtype = type.dtype;
    this.shape = Object.freeze([...type.shape]);
    this.#handle = handle;
    this.#device = device;
    this.#live = live;
    live.add(this);
  }

  get byteLength(): number {
    return elementCount(this.shape) * BYTES_PER_ELEMENT[this.dtype];
  }

  /** Whether the tensor belongs to the backend with these live tensors. */
  isOf(live: LiveTensors): boolean {
    return this.#live === live;
  }

  /** @throws BackendError when disposed or donated. */
  handle(what: string): Handle {
    if (this.#state === "live") return this.#handle;
    const remedy =
      this.#state === "donated"
        ? "Use the output that took its place."
        : "Dispose a tensor after its last use.";
    throw new BackendError(
      `backend-tfjs: ${what}: expected a live tensor, got one that was ${this.#state}. ${remedy}`,
    );
  }

  async read(): Promise<HostTensor> {
    this.handle("read");
    await this.#runs;
    const handle = this.handle("read");
    this.hold();
    try {
      const host = await this.#device.read(handle, this);
      const failure = this.#device.takeFailure?.();
      if (failure === undefined) return host;
      throw new BackendError(`backend-tfjs: read: expected a working device, got: ${failure}`);
    } finally {
      this.release();
    }
  }

  async write(tensor: HostTensor): Promise<void> {
    checkSameType("write", this, tensor);
    this.handle("write");
    // The caller may go on with its array as soon as this returns.
    const next = this.#device.upload(tensor);
    await this.#runs;
    this.replace(next);
    this.handle("write");
  }

  dispose(): void {
    if (this.#state === "live") this.#retire(this.#handle);
    if (this.#state !== "donated") this.#state = "disposed";
    this.#live.delete(this);
  }

  /** Reads and writes wait for the run. */
  waitFor(run: Promise<unknown>): void {
    // Without their results, which would keep every run's outputs alive.
    this.#runs = Promise.allSettled([this.#runs, run]).then(() => undefined);
  }

  /** Keeps the handle from being freed until `release`. */
  hold(): void {
    this.#holds += 1;
  }

  release(): void {
    this.#holds -= 1;
    if (this.#holds > 0) return;
    for (const handle of this.#retired.splice(0)) this.#device.free(handle);
  }

  /** Gives the handle away: the tensor is used up. */
  spend(): Handle {
    const handle = this.handle("donation");
    this.#state = "donated";
    this.#live.delete(this);
    return handle;
  }

  /** Takes `spend` back: the run did not come to use the handle up. */
  restore(): void {
    this.#state = "live";
    this.#live.add(this);
  }

  /** Takes another handle of the same type for its own. */
  replace(next: Handle): void {
    this.#retire(this.#state === "live" ? this.#handle : next);
    if (this.#state === "live") this.#handle = next;
  }

  #retire(handle: Handle): void {
    if (this.#holds > 0) this.#retired.push(handle);
    else this.#device.free(handle);
  }
}

/** @throws DtypeError or ShapeError unless both have one type. */
export function checkSameType(
  what: string,
  wanted: { readonly dtype: DType; readonly shape: readonly number[] },
  given: { readonly dtype: DType; readonly shape: readonly number[] },
): void {
  if (wanted.dtype !== given.dtype) {
    throw new DtypeError(
      `backend-tfjs: ${what}: expected ${wanted.dtype}, got ${given.dtype}. Nothing is converted implicitly.`,
    );
  }
  if (wanted.shape.join() === given.shape.join()) return;
  throw new ShapeError(
    `backend-tfjs: ${what}: expected [${wanted.shape.join(", ")}], got [${given.shape.join(", ")}]. Take a tensor of that shape.`,
  );
}
