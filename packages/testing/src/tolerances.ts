/** How far a backend may be from the reference, by dtype, and why. */
import { isFloat, type DType } from "@diptych/core";
import { DEFAULT_TOLERANCE, type OpCase } from "@diptych/core/reference";

/**
 * Relative to the largest entry of a result.
 *
 * - float32: 24 bits, one rounding is 6e-8; sums of a few thousand entries in any order and a dozen ops in a row stay
 *   within 1e-5, a wrong formula does not.
 * - float16: 11 bits, one rounding is 4.9e-4; ten of them.
 * - bfloat16: 8 bits, one rounding is 3.9e-3; ten of them.
 * - int32, bool: exact.
 */
export const TOLERANCES: Readonly<Record<DType, number>> = Object.freeze({
  float32: 1e-5,
  float16: 5e-3,
  bfloat16: 4e-2,
  int32: 0,
  bool: 0,
});

/** How far one result of a case may be off. */
export interface CaseTolerance {
  readonly relativeToLargest: number;
  readonly absolute: number;
}

/**
 * The tolerance of a result of dtype `result` of a case that runs in `dtype`: integers are exact, a float32 result of
 * 16-bit operands is as good as those.
 */
export function caseTolerance(
  opCase: OpCase,
  { dtype, result }: { readonly dtype: DType; readonly result: DType },
  tolerances: Readonly<Record<DType, number>> = TOLERANCES,
): CaseTolerance {
  const allowed = isFloat(result) ? Math.max(tolerances[dtype], tolerances[result]) : 0;
  const scale = allowed / DEFAULT_TOLERANCE;
  return { relativeToLargest: scale * opCase.tolerance, absolute: scale * opCase.absolute };
}
