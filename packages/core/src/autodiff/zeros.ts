/** Zeros of a value's shape. */
import { dtypeOf, shapeOf, type Value } from "../graph/node.js";
import { broadcast } from "../ops/primitives/layout.js";
import { scalar } from "../ops/primitives/leaves.js";
import type { DType } from "../tensor/dtype.js";

export function zerosLike(value: Value, dtype: DType = dtypeOf(value)): Value {
  return broadcast(scalar(0, dtype), shapeOf(value));
}
