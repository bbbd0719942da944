/** The lowerings by op: the common ones, and what an engine does otherwise. */
import { UnsupportedOpError } from "@diptych/core";
import { COMPOSITES } from "./composites.js";
import { convolutionsBy, KERNEL_CONVOLUTIONS } from "./convolution.js";
import { ELEMENTWISE } from "./elementwise.js";
import { INDEXING } from "./indexing.js";
import { LAYOUT } from "./layout.js";
import type { Lowering, LoweringOverrides, PrimitiveLowerings } from "./lowering.js";
import { batchMatMul, matmulBy } from "./matmul.js";
import { REDUCTION } from "./reduction.js";

/** By TensorFlow.js's kernels as all engines have them. */
const PRIMITIVE_LOWERINGS: PrimitiveLowerings = {
  ...ELEMENTWISE,
  ...REDUCTION,
  ...LAYOUT,
  ...INDEXING,
  ...convolutionsBy(KERNEL_CONVOLUTIONS),
  matmul: matmulBy(batchMatMul),
};

export type LoweringTable = Readonly<Record<string, Lowering>>;

/** The common table under an engine's own. */
export function createLoweringTable(overrides: LoweringOverrides = {}): LoweringTable {
  // Each lowering reads the attributes of its own op, which the graph's builders have checked.
  return { ...PRIMITIVE_LOWERINGS, ...COMPOSITES, ...overrides } as unknown as LoweringTable;
}

/** @throws UnsupportedOpError on an op without a lowering. */
export function loweringOf(table: LoweringTable, op: string, origin: string): Lowering {
  const lowering = table[op];
  if (lowering) return lowering;
  throw new UnsupportedOpError(
    `backend-tfjs/lowering: op: expected one with a lowering, got ${op} (at "${origin}"). Expand it first (core's legalize does).`,
  );
}
