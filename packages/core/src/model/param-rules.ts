/** Which parameters weight decay touches (clip-numerics §7): open_clip's rule of today, and the one its released models were trained with. */
import type { ParameterSpec } from "../graph/param-scope.js";

/**
 * `declared`: what the builder said: matrices and larger decay, except positional_embedding, class_embedding, cls_emb
 * and what else a tower exempts (open_clip's optim.py).
 * `legacy`: ndim < 2 or a name with bn, ln, bias or logit_scale does not decay; positional embeddings do (open_clip's
 * legacy_main.py, the rule behind the released LAION checkpoints).
 */
export type DecayRule = "declared" | "legacy";

/** Whether weight decay applies to a parameter; never to a buffer. */
export function decays(spec: ParameterSpec, rule: DecayRule = "declared"): boolean {
  if (spec.role === "buffer") return false;
  if (rule === "declared") return spec.weightDecay;
  const { name, shape } = spec;
  return (
    shape.length >= 2 && !["bn", "ln", "bias", "logit_scale"].some((part) => name.includes(part))
  );
}
