/** Composites that every engine has a kernel for, which takes fewer passes over memory than their parts. */
import { InternalError } from "@diptych/core";
import type { CompositeAttrs } from "@diptych/core/backend";
import { operand, type CompositeLowerings, type Lowering } from "./lowering.js";

/** The kernel works along the last axis. */
const softmax: Lowering<CompositeAttrs["softmax"]> = (call, kernels) => {
  const logits = operand(call, 0);
  const last = logits.shape.length - 1;
  const { axis } = call.attrs;
  if (axis === last) return kernels.run("Softmax", { logits }, { dim: last });
  const order = logits.shape.map((_, i) => (i === axis ? last : i === last ? axis : i));
  const moved = kernels.run("Softmax", { logits: kernels.transpose(logits, order) }, { dim: last });
  return kernels.transpose(moved, order);
};

const relu: Lowering<CompositeAttrs["relu"]> = (call, kernels) =>
  kernels.run("Relu", { x: operand(call, 0) });

const avgPool2d: Lowering<CompositeAttrs["avgPool2d"]> = (call, kernels) => {
  const { size, layout } = call.attrs;
  if (layout !== "NHWC")
    throw new InternalError("backend-tfjs/lowering: avgPool2d: expected pictures as NHWC.");
  const window = { filterSize: [...size], strides: [...size], pad: "valid" };
  return kernels.run("AvgPool", { x: operand(call, 0) }, window);
};

export const COMPOSITES: CompositeLowerings = { softmax, relu, avgPool2d };
