/** Composites that every engine has kernels for. */
import type { CompositeAttrs } from "@diptych/core/backend";
import type { CompositeLowerings, Lowering } from "./lowering.js";
import { operand } from "./lowering.js";

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

export const COMPOSITES: CompositeLowerings = { softmax };
