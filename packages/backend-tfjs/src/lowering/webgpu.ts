/** What WebGPU does otherwise. */
import type { PrimitiveAttrs } from "@diptych/core/backend";
import { operand, type Lowering, type LoweringOverrides } from "./lowering.js";
import { REDUCTION } from "./reduction.js";

/** Where the kernel starts from, as WGSL has no infinity. */
const LOWEST = -3.4028234663852886e38;

const reduceMax: Lowering<PrimitiveAttrs["reduceMax"]> = (call, kernels) => {
  const found = REDUCTION.reduceMax(call, kernels);
  if (found === operand(call, 0) || found.dtype !== "float32") return found;
  const condition = kernels.run("LessEqual", { a: found, b: kernels.scalar(LOWEST) });
  const t = kernels.fill(found.shape, -Infinity);
  return kernels.run("Select", { condition, t, e: found });
};

export const WEBGPU_OVERRIDES: LoweringOverrides = { reduceMax };
