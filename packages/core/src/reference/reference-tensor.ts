/** Tensors of the reference backend: host memory with the life of a device tensor. */
import type { DeviceTensor } from "../contracts/backend.js";
import { BackendError, DtypeError, ShapeError } from "../errors.js";
import type { DType } from "../tensor/dtype.js";
import { createHostTensor, hostBytes, type HostTensor } from "../tensor/host-tensor.js";

/** What is alive: tensors by what holds their values. */
export interface TensorLedger {
  readonly live: Map<DeviceTensor, HostTensor>;
  /** Those whose memory a run gave to an output. */
  readonly donated: WeakSet<DeviceTensor>;
}

export function createLedger(): TensorLedger {
  return { live: new Map(), donated: new WeakSet() };
}

/** A live tensor over `host`, which is the tensor's from now on. */
export function createReferenceTensor(host: HostTensor, ledger: TensorLedger): DeviceTensor {
  const tensor: DeviceTensor = Object.freeze({
    dtype: host.dtype,
    shape: host.shape,
    read: async () => copyHost(valuesOf(tensor, ledger, "read")),
    write: async (next: HostTensor) => {
      const held = valuesOf(tensor, ledger, "write");
      checkFits("write", next, held);
      hostBytes(held).set(hostBytes(next));
    },
    dispose: () => {
      ledger.live.delete(tensor);
    },
  });
  ledger.live.set(tensor, host);
  return tensor;
}

/** The memory of a live tensor. @throws BackendError when it is disposed, donated or of another backend. */
export function valuesOf(tensor: DeviceTensor, ledger: TensorLedger, what: string): HostTensor {
  const held = ledger.live.get(tensor);
  if (held) return held;
  const state = ledger.donated.has(tensor)
    ? "one that a run was allowed to overwrite"
    : "one that is disposed or of another backend";
  throw new BackendError(
    `core/reference: ${what}: expected a live tensor of this backend, got ${state}. Use what the run returned, or upload again.`,
  );
}

/** @throws DtypeError or ShapeError when `next` cannot be written over `held`. */
export function checkFits(
  what: string,
  next: { readonly dtype: DType; readonly shape: readonly number[] },
  held: { readonly dtype: DType; readonly shape: readonly number[] },
): void {
  if (next.dtype !== held.dtype) {
    throw new DtypeError(
      `core/reference: ${what}: expected ${held.dtype}, got ${next.dtype}. Cast it.`,
    );
  }
  if (next.shape.join() !== held.shape.join()) {
    throw new ShapeError(
      `core/reference: ${what}: expected [${held.shape.join(", ")}], got [${next.shape.join(", ")}]. Upload a new tensor instead.`,
    );
  }
}

export function copyHost(host: HostTensor): HostTensor {
  return createHostTensor(host.dtype, host.shape, host.data.slice());
}
