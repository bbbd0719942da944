/** Values of the reference evaluator: every dtype as float64, exact for int32 and bool, unrounded for the floats. */
import { ShapeError } from "../errors.js";
import type { DType } from "../tensor/dtype.js";
import { hostTensorFrom, hostValues, type HostTensor } from "../tensor/host-tensor.js";
import { elementCount } from "../tensor/shape.js";

/** Row-major values; whoever holds one may read but not write it, as operands and results may share memory. */
export interface Float64Tensor {
  readonly shape: readonly number[];
  /** What the values stand for; a float dtype says nothing of their precision. */
  readonly dtype: DType;
  readonly data: Float64Array;
}

/** A tensor over `data` (not copied). @throws ShapeError when the sizes differ. */
export function createFloat64Tensor(
  dtype: DType,
  shape: readonly number[],
  data: ArrayLike<number>,
): Float64Tensor {
  const expected = elementCount(shape);
  if (data.length !== expected) {
    throw new ShapeError(
      `core/createFloat64Tensor: data: expected ${expected} elements for [${shape.join(", ")}], got ${data.length}.`,
    );
  }
  const values = data instanceof Float64Array ? data : Float64Array.from(data);
  return Object.freeze({ dtype, shape: Object.freeze([...shape]), data: values });
}

/** The values of a host tensor, decoded; a Float64Tensor as it is. */
export function toFloat64(tensor: HostTensor | Float64Tensor): Float64Tensor {
  if (tensor.data instanceof Float64Array) return tensor as Float64Tensor;
  const host = tensor as HostTensor;
  return createFloat64Tensor(host.dtype, host.shape, hostValues(host));
}

/** The values rounded to their dtype, in memory of their own. */
export function toHostTensor({ dtype, shape, data }: Float64Tensor): HostTensor {
  return hostTensorFrom(dtype, shape, data);
}

/** The single value of a tensor with one element. @throws ShapeError otherwise. */
export function float64Scalar({ shape, data }: Float64Tensor): number {
  if (data.length === 1) return data[0]!;
  throw new ShapeError(
    `core/float64Scalar: tensor: expected one element, got [${shape.join(", ")}].`,
  );
}
