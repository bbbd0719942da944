/** Host tensors: row-major values in plain typed arrays, the currency between data, checkpoints and backends. */
import { DtypeError, ShapeError } from "../errors.js";
import {
  bfloat16Bits,
  bfloat16Value,
  createHostArray,
  float16Bits,
  float16Value,
  type DType,
  type HostArray,
  type HostArrays,
} from "./dtype.js";
import { elementCount } from "./shape.js";

export interface HostTensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: HostArrays[D];
}

/** A host tensor over `data` (not copied). @throws ShapeError when sizes differ or are none, DtypeError on another array type. */
export function createHostTensor<D extends DType>(
  dtype: D,
  shape: readonly number[],
  data: HostArrays[D],
): HostTensor<D> {
  if (!shape.every((size) => Number.isInteger(size) && size >= 0)) {
    throw new ShapeError(
      `core/createHostTensor: shape: expected integers of at least 0, got [${shape.join(", ")}].`,
    );
  }
  const expected = elementCount(shape);
  if (data.length !== expected) {
    throw new ShapeError(
      `core/createHostTensor: data: expected ${expected} elements for [${shape.join(", ")}], got ${data.length}.`,
    );
  }
  const wanted = createHostArray(dtype, 0).constructor;
  if (data.constructor.name !== wanted.name) {
    throw new DtypeError(
      `core/createHostTensor: data: expected ${wanted.name} for ${dtype}, got ${data.constructor.name}.`,
    );
  }
  return Object.freeze({ dtype, shape: Object.freeze([...shape]), data });
}

/** A zeroed host tensor. */
export function zerosHost<D extends DType>(dtype: D, shape: readonly number[]): HostTensor<D> {
  return createHostTensor(dtype, shape, createHostArray(dtype, elementCount(shape)));
}

/** A host tensor from numbers, rounded to `dtype`. */
export function hostTensorFrom<D extends DType>(
  dtype: D,
  shape: readonly number[],
  values: ArrayLike<number>,
): HostTensor<D> {
  const data = createHostArray(dtype, values.length);
  for (let i = 0; i < values.length; i++) data[i] = encodeElement(dtype, values[i] ?? 0);
  return createHostTensor(dtype, shape, data);
}

/** A scalar of `dtype`. */
export function scalarHost<D extends DType>(dtype: D, value: number): HostTensor<D> {
  return hostTensorFrom(dtype, [], [value]);
}

/** The values as float64, decoded from their storage. */
export function hostValues(tensor: HostTensor): Float64Array {
  const values = new Float64Array(tensor.data.length);
  for (let i = 0; i < values.length; i++)
    values[i] = decodeElement(tensor.dtype, tensor.data[i] ?? 0);
  return values;
}

/** The single value of a tensor with one element. @throws ShapeError otherwise. */
export function scalarValue(tensor: HostTensor): number {
  if (tensor.data.length !== 1) {
    throw new ShapeError(
      `core/scalarValue: tensor: expected one element, got [${tensor.shape.join(", ")}].`,
    );
  }
  return decodeElement(tensor.dtype, tensor.data[0] ?? 0);
}

/** Whether two tensors have the same dtype, shape and bits. */
export function equalHostTensors(a: HostTensor, b: HostTensor): boolean {
  return (
    a.dtype === b.dtype &&
    a.shape.length === b.shape.length &&
    a.shape.every((size, i) => size === b.shape[i]) &&
    equalBytes(hostBytes(a), hostBytes(b))
  );
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** The bytes of a tensor, little-endian, sharing its memory. */
export function hostBytes(tensor: HostTensor): Uint8Array {
  const data: HostArray = tensor.data;
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** What is stored for `value`: bits of 16-bit floats, truncated int32, 0/1. */
export function encodeElement(dtype: DType, value: number): number {
  switch (dtype) {
    case "float16":
      return float16Bits(value);
    case "bfloat16":
      return bfloat16Bits(value);
    case "bool":
      return value ? 1 : 0;
    default:
      return value;
  }
}

/** The number that a stored element means. */
export function decodeElement(dtype: DType, stored: number): number {
  switch (dtype) {
    case "float16":
      return float16Value(stored);
    case "bfloat16":
      return bfloat16Value(stored);
    default:
      return stored;
  }
}
