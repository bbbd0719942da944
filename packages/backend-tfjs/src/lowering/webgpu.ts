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
  const t = kernels.broadcast(kernels.scalar(-Infinity), found.shape);
  return kernels.run("Select", { condition, t, e: found });
};

/** The kernel leaves integers where no entry changes, and says they are floats: some kernels (Transpose) then fail. */
const cast: Lowering<PrimitiveAttrs["cast"]> = (call, kernels) => {
  const x = operand(call, 0);
  const result = kernels.cast(x, call.attrs.dtype);
  if (result === x || call.attrs.dtype !== "float32") return result;
  return kernels.run("Multiply", { a: result, b: kernels.scalar(1) });
};

/** WGSL leaves the logarithm of 0 open. */
const log: Lowering<PrimitiveAttrs["log"]> = (call, kernels) => {
  const x = operand(call, 0);
  const condition = kernels.run("Equal", { a: x, b: kernels.scalar(0) });
  const t = kernels.broadcast(kernels.scalar(-Infinity), x.shape);
  return kernels.run("Select", { condition, t, e: kernels.run("Log", { x }) });
};

export const WEBGPU_OVERRIDES: LoweringOverrides = { reduceMax, cast, log };
