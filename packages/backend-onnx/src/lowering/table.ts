/** Every primitive's lowering, exhaustive by type, and those of composites. */
import { COMPOSITE_LOWERINGS } from "./composites.js";
import { CONVOLUTION_LOWERINGS } from "./convolution.js";
import { ELEMENTWISE_LOWERINGS } from "./elementwise.js";
import { FILTER_GRADIENT_LOWERINGS } from "./filter-gradient.js";
import { INDEXING_LOWERINGS } from "./indexing.js";
import { LAYOUT_LOWERINGS } from "./layout.js";
import { LEAF_LOWERINGS } from "./leaves.js";
import type { Lowering, PrimitiveLowerings } from "./lowering.js";
import { MATMUL_LOWERINGS } from "./matmul.js";
import { REDUCTION_LOWERINGS } from "./reduction.js";

export const PRIMITIVE_LOWERINGS: PrimitiveLowerings = {
  ...LEAF_LOWERINGS,
  ...ELEMENTWISE_LOWERINGS,
  ...REDUCTION_LOWERINGS,
  ...LAYOUT_LOWERINGS,
  ...INDEXING_LOWERINGS,
  ...MATMUL_LOWERINGS,
  ...CONVOLUTION_LOWERINGS,
  ...FILTER_GRADIENT_LOWERINGS,
};

const ALL_LOWERINGS: Readonly<Record<string, Lowering<never>>> = {
  ...PRIMITIVE_LOWERINGS,
  ...COMPOSITE_LOWERINGS,
};

/** The lowering of an op, undefined for a composite that has none. */
export function loweringOf(op: string): Lowering | undefined {
  // A node's attributes were checked by its builder, so the lowering may read them as its own.
  return Object.hasOwn(ALL_LOWERINGS, op) ? (ALL_LOWERINGS[op] as Lowering | undefined) : undefined;
}
