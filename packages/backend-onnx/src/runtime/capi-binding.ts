/**
 * A session's IoBinding, kept between runs: only what differs from the last run
 * is bound anew, so a step over hundreds of resident tensors pays for its few
 * fresh ones.
 */
import type { Handle } from "./c-api.js";
import type { CapiDevice } from "./capi-device.js";
import type { CapiEnvironment } from "./capi-environment.js";
import { elementTypes } from "./element-type.js";
import { takeHandle } from "./native-ort.js";
import type { OrtFailureContext } from "./ort-errors.js";
import type { MemoryBlock, TensorRecord, TensorStore } from "./tensor-store.js";

/** Native memory, JavaScript's, which does not move either, or a device's. */
export interface NativeBlock extends MemoryBlock {
  readonly address: Handle | Uint8Array;
}

/** A tensor in native memory; its value is an OrtValue over that memory. */
export type CapiTensor = TensorRecord<NativeBlock, Handle>;
export type CapiStore = TensorStore<NativeBlock, Handle>;

/** The tensors of a run, in the order of the session's names; an output that is not wanted is null. */
export interface CapiTensors {
  readonly inputs: readonly CapiTensor[];
  readonly outputs: readonly (CapiTensor | null)[];
}

/** What a binding belongs to. */
export interface CapiBindingOwner {
  readonly session: Handle;
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly context: OrtFailureContext;
  /** Where the session computes; null: in the host's memory. */
  readonly device: CapiDevice | null;
}

export class CapiBinding {
  /** OrtIoBinding. */
  readonly handle: Handle;
  readonly #environment: CapiEnvironment;
  readonly #owner: CapiBindingOwner;
  #inputs: (CapiTensor | null)[];
  #outputs: (CapiTensor | null)[];

  constructor(environment: CapiEnvironment, owner: CapiBindingOwner) {
    this.#environment = environment;
    this.#owner = owner;
    this.#inputs = owner.inputNames.map(() => null);
    this.#outputs = owner.outputNames.map(() => null);
    const { native } = environment;
    this.handle = takeHandle(native, owner.context, (out) =>
      native.api.CreateIoBinding(owner.session, out),
    );
  }

  /** Binds what differs from the last call; returns whether an input's shape does. */
  bind({ inputs, outputs }: CapiTensors): boolean {
    const { api } = this.#environment.native;
    // ONNX Runtime has no call that takes one bound output away.
    if (outputs.some((tensor, index) => tensor === null && this.#outputs[index] !== null)) {
      api.ClearBoundOutputs(this.handle);
      this.#outputs.fill(null);
    }
    let reshaped = false;
    inputs.forEach((tensor, index) => {
      const last = this.#inputs[index] ?? null;
      // To a device, binding copies what the host has: it may hold other values than last time.
      const { device } = this.#owner;
      const copied = device !== null && tensor.block.place === "host";
      if (last === tensor && !copied) return;
      this.#check(
        api.BindInput(this.handle, this.#owner.inputNames[index] ?? "", this.#valueOf(tensor)),
      );
      if (copied) device.countUpload(tensor.byteLength);
      this.#inputs[index] = tensor;
      reshaped ||= last === null || !hasSameShape(last, tensor);
    });
    outputs.forEach((tensor, index) => {
      if (tensor === null || this.#outputs[index] === tensor) return;
      this.#check(
        api.BindOutput(this.handle, this.#owner.outputNames[index] ?? "", this.#valueOf(tensor)),
      );
      this.#outputs[index] = tensor;
    });
    return reshaped;
  }

  release(): void {
    this.#inputs = [];
    this.#outputs = [];
    this.#environment.native.api.ReleaseIoBinding(this.handle);
  }

  #check(status: Handle | null): void {
    this.#environment.native.check(status, this.#owner.context);
  }

  /** The tensor's OrtValue, made at its first run; it describes the memory and does not own it. */
  #valueOf(tensor: CapiTensor): Handle {
    const { native } = this.#environment;
    const { device } = this.#owner;
    const onDevice = device !== null && tensor.block.place === "device";
    const { memoryInfo } = onDevice ? device : this.#environment;
    tensor.value ??= takeHandle(native, this.#owner.context, (out) => {
      const shape = BigInt64Array.from(tensor.shape, BigInt);
      const { code } = elementTypes[tensor.dtype];
      const { address } = tensor.block;
      return native.api.CreateTensorWithDataAsOrtValue(
        memoryInfo,
        address,
        tensor.byteLength,
        shape,
        shape.length,
        code,
        out,
      );
    });
    return tensor.value;
  }
}

function hasSameShape(a: CapiTensor, b: CapiTensor): boolean {
  return a.shape.length === b.shape.length && a.shape.every((size, axis) => size === b.shape[axis]);
}
