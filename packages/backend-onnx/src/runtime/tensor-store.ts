/**
 * The tensors of a runtime: who owns which block of memory, how many are alive,
 * and the pool of free blocks, by size. Both adapters use it with their own memory.
 */
import { BackendError } from "@diptych/core";
import { elementTypes, printTensorType } from "./element-type.js";
import type { MemoryPlace, OrtDtype, OrtLiveTensors, OrtTensor } from "./ort-runtime.js";

/** A block of memory. */
export interface MemoryBlock {
  readonly place: MemoryPlace;
  /** Its size in bytes. */
  readonly capacity: number;
  /** All of it where the host can see it; null on a device. */
  readonly bytes: Uint8Array<ArrayBuffer> | null;
}

/** Where blocks come from, and what an adapter hangs on a tensor (`Value`: an OrtValue handle). */
export interface TensorMemory<Block extends MemoryBlock, Value> {
  /** Where tensors lie unless it is said otherwise. */
  readonly place: MemoryPlace;
  reserve(bytes: number, place: MemoryPlace): Block;
  release(block: Block): void;
  /** Called once per tensor that a run has used, when it ends. */
  releaseValue(value: Value): void;
}

/** What a tensor is inside its runtime. Outlives the tensor object where a run still uses it. */
export interface TensorRecord<Block extends MemoryBlock, Value> {
  readonly dtype: OrtDtype;
  readonly shape: readonly number[];
  readonly byteLength: number;
  readonly block: Block;
  /** Made at the first run that uses the tensor. */
  value: Value | null;
  /** Runs, queued or in flight, that use it. */
  pins: number;
  /** Whether the block is the caller's: it is neither freed nor pooled. */
  readonly borrowed: boolean;
  disposed: boolean;
  freed: boolean;
}

/** Free blocks kept for reuse, at most; beyond it they go back to the system. */
const poolLimitBytes = 512 * 2 ** 20;

/** Tensors, live and pooled. */
export class TensorStore<Block extends MemoryBlock, Value> {
  readonly #memory: TensorMemory<Block, Value>;
  readonly #live = new Set<TensorRecord<Block, Value>>();
  /** Free blocks by place and capacity. */
  readonly #pool = new Map<string, Block[]>();
  readonly #leaks: FinalizationRegistry<string>;
  #liveBytes = 0;
  #pooledBytes = 0;
  #closed = false;

  constructor(memory: TensorMemory<Block, Value>, log: (line: string) => void) {
    this.#memory = memory;
    this.#leaks = new FinalizationRegistry((what) => {
      log(
        `backend-onnx: a tensor ${what} was dropped without dispose(); its memory stays taken until the runtime is disposed.`,
      );
    });
  }

  allocate(
    dtype: OrtDtype,
    shape: readonly number[],
    place: MemoryPlace = this.#memory.place,
  ): OrtTensor {
    if (this.#closed) throw disposedError("runtime", "Create another one.");
    const byteLength = countBytes(dtype, shape);
    const block = this.#takeBlock(roundCapacity(byteLength), place);
    return this.#add({ dtype, shape, byteLength, block, borrowed: false });
  }

  /** A tensor over a block of the caller's, which outlives it. */
  borrow(dtype: OrtDtype, shape: readonly number[], block: Block): OrtTensor {
    if (this.#closed) throw disposedError("runtime", "Create another one.");
    return this.#add({ dtype, shape, byteLength: block.capacity, block, borrowed: true });
  }

  #add({
    dtype,
    shape,
    byteLength,
    block,
    borrowed,
  }: Pick<
    TensorRecord<Block, Value>,
    "dtype" | "shape" | "byteLength" | "block" | "borrowed"
  >): OrtTensor {
    const record: TensorRecord<Block, Value> = {
      dtype,
      shape: Object.freeze([...shape]),
      byteLength,
      block,
      borrowed,
      value: null,
      pins: 0,
      disposed: false,
      freed: false,
    };
    this.#live.add(record);
    if (!borrowed) this.#liveBytes += byteLength;
    const tensor = new StoredTensor(this, record);
    this.#leaks.register(tensor, printTensorType(dtype, shape), record);
    return tensor;
  }

  /** The record of a live tensor of this store. */
  find(tensor: OrtTensor, name: string): TensorRecord<Block, Value> {
    const record =
      tensor instanceof StoredTensor
        ? (tensor.recordIn(this) as TensorRecord<Block, Value> | null)
        : null;
    if (record === null) {
      throw new BackendError(
        `backend-onnx/run: tensor "${name}": expected one that this runtime allocated, got another. Allocate it with runtime.allocate().`,
      );
    }
    if (record.disposed)
      throw disposedError(`tensor "${name}"`, "Dispose a tensor after its last run.");
    return record;
  }

  pin(record: TensorRecord<Block, Value>): void {
    record.pins += 1;
  }

  unpin(record: TensorRecord<Block, Value>): void {
    record.pins -= 1;
    if (record.disposed && record.pins === 0) this.#free(record);
  }

  dispose(record: TensorRecord<Block, Value>): void {
    if (record.disposed) return;
    record.disposed = true;
    this.#leaks.unregister(record);
    this.#live.delete(record);
    if (!record.borrowed) this.#liveBytes -= record.byteLength;
    if (record.pins === 0) this.#free(record);
  }

  liveTensors(): OrtLiveTensors {
    return { count: this.#live.size, bytes: this.#liveBytes, pooledBytes: this.#pooledBytes };
  }

  trimPool(): void {
    for (const blocks of this.#pool.values())
      for (const block of blocks) this.#memory.release(block);
    this.#pool.clear();
    this.#pooledBytes = 0;
  }

  /** Disposes every tensor and frees every block; no run may be in flight. */
  close(): void {
    this.#closed = true;
    for (const record of Array.from(this.#live)) this.dispose(record);
    this.trimPool();
  }

  #takeBlock(capacity: number, place: MemoryPlace): Block {
    const pooled = this.#pool.get(`${place} ${capacity}`)?.pop();
    if (pooled === undefined) return this.#memory.reserve(capacity, place);
    this.#pooledBytes -= capacity;
    return pooled;
  }

  #free(record: TensorRecord<Block, Value>): void {
    if (record.freed) return;
    record.freed = true;
    if (record.value !== null) this.#memory.releaseValue(record.value);
    record.value = null;
    if (record.borrowed) return;
    const { capacity, place } = record.block;
    if (this.#closed || this.#pooledBytes + capacity > poolLimitBytes) {
      this.#memory.release(record.block);
      return;
    }
    this.#pooledBytes += capacity;
    const key = `${place} ${capacity}`;
    const blocks = this.#pool.get(key);
    if (blocks) blocks.push(record.block);
    else this.#pool.set(key, [record.block]);
  }
}

/** The handle that callers hold. */
class StoredTensor<Block extends MemoryBlock, Value> implements OrtTensor {
  readonly dtype: OrtDtype;
  readonly shape: readonly number[];
  readonly byteLength: number;
  readonly place: MemoryPlace;
  readonly #store: TensorStore<Block, Value>;
  readonly #record: TensorRecord<Block, Value>;
  #view: Uint8Array | null = null;

  constructor(store: TensorStore<Block, Value>, record: TensorRecord<Block, Value>) {
    this.dtype = record.dtype;
    this.shape = record.shape;
    this.byteLength = record.byteLength;
    this.place = record.block.place;
    this.#store = store;
    this.#record = record;
  }

  recordIn(store: unknown): TensorRecord<Block, Value> | null {
    return store === this.#store ? this.#record : null;
  }

  view(): Uint8Array {
    if (this.#record.disposed)
      throw disposedError(`tensor ${printTensorType(this.dtype, this.shape)}`, "Read it before.");
    const { bytes } = this.#record.block;
    if (bytes === null) {
      throw new BackendError(
        `backend-onnx/runtime: tensor ${printTensorType(this.dtype, this.shape)}: expected one in the host's memory, got one on a device. Use runtime.read() and runtime.write().`,
      );
    }
    this.#view ??= bytes.subarray(0, this.byteLength);
    return this.#view;
  }

  dispose(): void {
    this.#view = null;
    this.#store.dispose(this.#record);
  }
}

function disposedError(what: string, remedy: string): BackendError {
  return new BackendError(
    `backend-onnx/runtime: ${what}: expected it live, got it disposed. ${remedy}`,
  );
}

function countBytes(dtype: OrtDtype, shape: readonly number[]): number {
  if (!shape.every((size) => Number.isInteger(size) && size >= 0)) {
    throw new BackendError(
      `backend-onnx/allocate: shape: expected integers of 0 or more, got [${shape.join(",")}]. Bind every symbolic size first.`,
    );
  }
  return shape.reduce((product, size) => product * size, elementTypes[dtype].bytes);
}

/** Up to 1/16 above what is asked, so that buffers of like size share a pool slot; at least 64 bytes. */
function roundCapacity(bytes: number): number {
  const step = Math.max(64, 2 ** (Math.floor(Math.log2(Math.max(bytes, 1))) - 4));
  return Math.max(step, Math.ceil(bytes / step) * step);
}
