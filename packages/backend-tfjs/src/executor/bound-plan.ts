/** A plan with numbers for its symbols: the types of all results. Computed once for each set of sizes; a few are kept. */
import { evaluateDim, evaluateShape, type Dim, type DimBinding } from "@diptych/core";
import type { ConcreteType } from "./device.js";
import type { Step } from "./graph-plan.js";

export interface BoundSteps {
  readonly steps: readonly Step[];
  /** Types of the results, by step. */
  readonly types: readonly (readonly ConcreteType[])[];
  readonly sizeOf: (dim: Dim) => number;
}

export function bindSteps(steps: readonly Step[], binding: DimBinding): BoundSteps {
  const types = steps.map(({ node }) =>
    node.outputs.map(({ shape, dtype }) =>
      Object.freeze({ shape: evaluateShape(shape, binding), dtype }),
    ),
  );
  const sizeOf = (dim: Dim): number => (typeof dim === "number" ? dim : evaluateDim(dim, binding));
  return Object.freeze({ steps, types, sizeOf });
}

/** Text lengths and the sizes of last batches differ; more at once than this is no pattern to remember. */
const KEPT_BINDINGS = 16;

/** {@link bindSteps} that remembers its latest results. */
export function createStepBinder(steps: readonly Step[]): (binding: DimBinding) => BoundSteps {
  const kept = new Map<string, BoundSteps>();
  return (binding) => {
    const key = JSON.stringify(Object.entries(binding).sort());
    const bound = kept.get(key) ?? bindSteps(steps, binding);
    kept.delete(key);
    kept.set(key, bound);
    const [oldest] = kept.keys();
    if (kept.size > KEPT_BINDINGS && oldest !== undefined) kept.delete(oldest);
    return bound;
  };
}
