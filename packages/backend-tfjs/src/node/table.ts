/** Every primitive's lowering on libtensorflow, exhaustive by type, and those of composites. */
import type { CompositeName } from "@diptych/core/backend";
import { COMPOSITE_LOWERINGS } from "./composites.js";
import { CONVOLUTION_LOWERINGS } from "./convolution.js";
import { ELEMENTWISE_LOWERINGS } from "./elementwise.js";
import { INDEXING_LOWERINGS } from "./indexing.js";
import { LAYOUT_LOWERINGS } from "./layout.js";
import type { TfLowering, TfPrimitiveLowerings } from "./lowering.js";
import { MATMUL_LOWERINGS } from "./matmul.js";
import { REDUCTION_LOWERINGS } from "./reduction.js";

const TF_PRIMITIVE_LOWERINGS: TfPrimitiveLowerings = {
  ...ELEMENTWISE_LOWERINGS,
  ...REDUCTION_LOWERINGS,
  ...LAYOUT_LOWERINGS,
  ...INDEXING_LOWERINGS,
  ...MATMUL_LOWERINGS,
  ...CONVOLUTION_LOWERINGS,
};

/** Composites that are lowered as they are. */
export const TF_COMPOSITES: ReadonlySet<CompositeName> = new Set(
  Object.keys(COMPOSITE_LOWERINGS) as CompositeName[],
);

const ALL: Readonly<Record<string, TfLowering<never>>> = {
  ...TF_PRIMITIVE_LOWERINGS,
  ...COMPOSITE_LOWERINGS,
};

/** The lowering of an op, undefined for a composite that has none. */
export function tfLoweringOf(op: string): TfLowering | undefined {
  // A node's attributes were checked by its builder, so the lowering may read them as its own.
  return Object.hasOwn(ALL, op) ? (ALL[op] as TfLowering | undefined) : undefined;
}
