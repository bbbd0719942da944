/** The activations of CLIP's towers by name. */
import { gelu, geluTanh, quickGelu, type Value } from "@diptych/core";

/**
 * `gelu`: x·Φ(x) with the exact erf (open_clip's default); `quickGelu`: x·σ(1.702x) (OpenAI's weights, and any model
 * whose config says so); `geluTanh`: the tanh approximation (SigLIP2's text tower). Weights trained with one give wrong
 * features with another.
 */
export const ACTIVATIONS = ["gelu", "quickGelu", "geluTanh"] as const;
export type Activation = (typeof ACTIVATIONS)[number];

const builders: Readonly<Record<Activation, (x: Value) => Value>> = { gelu, quickGelu, geluTanh };

export function applyActivation(name: Activation, x: Value): Value {
  return builders[name](x);
}
