/** What PyTorch's pickles hold besides plain data: tensors as views of storages, and TorchScript's modules as records. */
import { CheckpointError, elementCount } from "@diptych/core";
import type { StoredDtype } from "../bytes/element-types.js";
import { stridedExtent } from "../bytes/read-values.js";

/** A run of elements that the file holds under `key`. */
export interface TorchStorage {
  readonly kind: "torch-storage";
  readonly key: string;
  readonly dtype: StoredDtype;
  readonly elements: number;
}

/** A view of a storage. */
export interface TorchTensor {
  readonly kind: "torch-tensor";
  readonly storage: TorchStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** An object of a TorchScript class: its attributes, no behaviour. */
export interface TorchRecord {
  readonly kind: "torch-record";
  readonly type: string;
  readonly attributes: Map<unknown, unknown>;
}

// Objects in an unpickled value come from here and from torch-globals.ts alone, so that their kind tells them apart.
const kindOf = (value: unknown): unknown => (value as { kind?: unknown } | null | undefined)?.kind;

function isTorchStorage(value: unknown): value is TorchStorage {
  return kindOf(value) === "torch-storage";
}
export function isTorchTensor(value: unknown): value is TorchTensor {
  return kindOf(value) === "torch-tensor";
}
export function isTorchRecord(value: unknown): value is TorchRecord {
  return kindOf(value) === "torch-record";
}

// PyTorch itself stops at 64.
const MAX_RANK = 64;

function isSizes(value: unknown): value is readonly number[] {
  return (
    Array.isArray(value) &&
    value.length <= MAX_RANK &&
    value.every((size) => Number.isSafeInteger(size) && size >= 0)
  );
}

/**
 * A tensor from what `_rebuild_tensor_v2` is called with.
 *
 * @throws CheckpointError where the view leaves its storage or repeats its elements: a shape alone never claims memory.
 */
export function rebuildTensor(
  path: string,
  [storage, offset, shape, strides]: readonly unknown[],
): TorchTensor {
  const refuse = (what: string): CheckpointError =>
    new CheckpointError(
      `checkpoints/torch: a tensor of ${path}: expected ${what}. The file is damaged.`,
    );
  if (!isTorchStorage(storage)) throw refuse("a storage");
  if (!isSizes([offset])) throw refuse("an offset");
  if (!isSizes(shape) || !isSizes(strides) || shape.length !== strides.length) {
    throw refuse("a shape and strides of as many sizes");
  }
  const extent = stridedExtent(shape, strides);
  if (elementCount(shape) > storage.elements || (offset as number) + extent > storage.elements) {
    throw refuse(
      `a view of ${storage.elements} elements, got [${shape.join(", ")}] by [${strides.join(", ")}] from ${String(offset)}`,
    );
  }
  return Object.freeze({
    kind: "torch-tensor",
    storage,
    offset: offset as number,
    shape: Object.freeze([...shape]),
    strides: Object.freeze([...strides]),
  });
}
