/** What evaluates one primitive: operands and attributes to row-major values of the output. */
import type { DType } from "../../tensor/dtype.js";
import type { DimBinding } from "../../tensor/dim.js";
import type { Float64Tensor } from "../float64-tensor.js";

/** The output to fill, and what the whole evaluation knows. */
export interface KernelContext {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly binding: DimBinding;
  /** The values fed under `name`. */
  readonly feed: (name: string) => Float64Array;
}

/** May return an operand's memory; never writes it. */
export type Kernel<A> = (
  operands: readonly Float64Tensor[],
  attrs: A,
  context: KernelContext,
) => Float64Array;
