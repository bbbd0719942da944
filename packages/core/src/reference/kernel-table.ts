/** The kernel of every primitive; exhaustive by type. */
import type { PrimitiveAttrs, PrimitiveName } from "../ops/primitive-table.js";
import { contractionKernels } from "./kernels/contraction.js";
import { elementwiseKernels } from "./kernels/elementwise.js";
import { indexingKernels } from "./kernels/indexing.js";
import type { Kernel } from "./kernels/kernel.js";
import { layoutKernels } from "./kernels/layout.js";
import { leafKernels } from "./kernels/leaves.js";
import { reductionKernels } from "./kernels/reduction.js";

export const KERNELS = Object.freeze({
  ...leafKernels,
  ...elementwiseKernels,
  ...reductionKernels,
  ...layoutKernels,
  ...indexingKernels,
  ...contractionKernels,
}) satisfies { readonly [Name in PrimitiveName]: Kernel<PrimitiveAttrs[Name]> };
