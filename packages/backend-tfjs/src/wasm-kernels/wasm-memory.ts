/** The engine's memory as kernels of ours see it. They get the backend as TensorFlow.js's own kernels do. */
import { elementCount } from "@diptych/core";
import type { DataType, TensorInfo } from "@tensorflow/tfjs-core";

/** The part of TensorFlow.js's `BackendWasm` that kernels use; its own type leaves out what Emscripten adds. */
export interface WasmBackend {
  makeOutput(shape: number[], dtype: DataType): TensorInfo;
  /** Bytes from the beginning of the memory. */
  getMemoryOffset(dataId: object): number;
  readonly wasm: {
    readonly HEAPU8: Uint8Array<ArrayBuffer>;
    readonly tfjs: {
      registerTensor(id: number, size: number, memoryOffset: number): void;
      disposeData(id: number): void;
    };
    cwrap(name: string, returns: null, types: readonly string[]): (...values: never[]) => void;
  };
}

/** What a kernel is called with. */
export interface KernelCall {
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly backend: WasmBackend;
}

export type WasmKernel = (call: KernelCall) => TensorInfo;

/** An operand of a kernel. */
export function inputOf({ inputs }: KernelCall, name: string): TensorInfo {
  return inputs[name]!;
}

/** The whole memory in entries of a dtype. Valid until the next allocation: growing memory has another buffer. */
export function heapOf(backend: WasmBackend, dtype: string): Int32Array | Uint8Array {
  const { HEAPU8 } = backend.wasm;
  return dtype === "bool" ? HEAPU8 : new Int32Array(HEAPU8.buffer);
}

/** Where a tensor begins in {@link heapOf} its dtype. */
export function startOf(backend: WasmBackend, { dataId, dtype }: TensorInfo): number {
  const offset = backend.getMemoryOffset(dataId);
  return dtype === "bool" ? offset : offset / Int32Array.BYTES_PER_ELEMENT;
}

/** A tensor's float32 entries. Valid as {@link heapOf}. */
export function floatsOf(backend: WasmBackend, { dataId, shape }: TensorInfo): Float32Array {
  const { buffer } = backend.wasm.HEAPU8;
  return new Float32Array(buffer, backend.getMemoryOffset(dataId), elementCount(shape));
}

/** A tensor's int32 entries. Valid as {@link heapOf}. */
export function intsOf(backend: WasmBackend, { dataId, shape }: TensorInfo): Int32Array {
  const { buffer } = backend.wasm.HEAPU8;
  return new Int32Array(buffer, backend.getMemoryOffset(dataId), elementCount(shape));
}

export type Numbers = Float32Array | Int32Array;

/** A tensor's entries, float32 or int32. Valid as {@link heapOf}. */
export function numbersOf(backend: WasmBackend, x: TensorInfo): Numbers {
  return x.dtype === "float32" ? floatsOf(backend, x) : intsOf(backend, x);
}
