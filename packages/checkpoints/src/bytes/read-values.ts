/**
 * Values of a stored tensor, read straight into the array that is returned: there is no copy of the bytes but one block
 * where they are converted. Strided tensors (a transposed view as PyTorch saves it) are gathered.
 */
import {
  createHostArray,
  createHostTensor,
  elementCount,
  hostBytes,
  zerosHost,
  type HostTensor,
} from "@diptych/core";
import type { ByteSource } from "./byte-source.js";
import {
  convertBlock,
  isConverted,
  readDtype,
  STORED_BYTES,
  type StoredDtype,
} from "./element-types.js";

/** A row-major tensor from the byte `begin` on. */
export interface StoredValues {
  readonly name: string;
  readonly stored: StoredDtype;
  readonly shape: readonly number[];
  readonly begin: number;
}

const BLOCK_BYTES = 1 << 20;

/** Reads all elements. @throws CheckpointError where they are not inside the file, or integers need more than 32 bits. */
export async function readValues(
  source: ByteSource,
  { name, stored, shape, begin }: StoredValues,
): Promise<HostTensor> {
  const tensor = zerosHost(readDtype(stored), shape);
  if (!isConverted(stored)) {
    await source.readInto(hostBytes(tensor), begin);
    return tensor;
  }
  const target = tensor.data as Float32Array | Int32Array;
  const size = STORED_BYTES[stored];
  const block = new Uint8Array(Math.min(BLOCK_BYTES, target.length * size));
  for (let at = 0; at < target.length; at += BLOCK_BYTES / size) {
    const count = Math.min(BLOCK_BYTES / size, target.length - at);
    await source.readInto(block.subarray(0, count * size), begin + at * size);
    convertBlock(stored, { bytes: block.buffer, target, at, count }, `"${name}" of ${source.path}`);
  }
  return tensor;
}

/** A tensor whose elements lie `strides` apart. */
export interface StridedValues extends StoredValues {
  readonly strides: readonly number[];
}

/** Whether strides are those of a row-major tensor (those of sizes 1 do not matter). */
function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** Elements from the first to the last of a strided tensor; 0 where it is empty. */
export function stridedExtent(shape: readonly number[], strides: readonly number[]): number {
  if (shape.includes(0)) return 0;
  return shape.reduce((most, size, axis) => most + (size - 1) * (strides[axis] ?? 0), 1);
}

/** As {@link readValues}, for any strides. */
export async function readStridedValues(
  source: ByteSource,
  { strides, ...values }: StridedValues,
): Promise<HostTensor> {
  const { shape } = values;
  if (shape.includes(0) || isRowMajor(shape, strides)) return readValues(source, values);
  const extent = stridedExtent(shape, strides);
  const { dtype, data } = await readValues(source, { ...values, shape: [extent] });
  const gathered = createHostArray(dtype, elementCount(shape));
  const position = shape.map(() => 0);
  for (let i = 0, from = 0; i < gathered.length; i++) {
    gathered[i] = data[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position[axis]!++;
      from += strides[axis]!;
      if (position[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      position[axis] = 0;
    }
  }
  return createHostTensor(dtype, shape, gathered);
}
