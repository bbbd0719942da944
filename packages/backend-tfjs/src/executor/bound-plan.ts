/** A plan with numbers for its symbols: the types of all results. Made once for each set of sizes; some are kept. */
import { evaluateDim, evaluateShape, type Dim, type DimBinding } from "@diptych/core";
import type { ConcreteType } from "./device.js";
import type { Step } from "./graph-plan.js";

export interface BoundStep extends Step {
  readonly types: readonly ConcreteType[];
}

export interface BoundSteps {
  readonly steps: readonly BoundStep[];
  readonly sizeOf: (dim: Dim) => number;
}

export function bindSteps(steps: readonly Step[], binding: DimBinding): BoundSteps {
  const bound = steps.map((step) =>
    Object.freeze({
      ...step,
      types: step.node.outputs.map(({ shape, dtype }) =>
        Object.freeze({ shape: evaluateShape(shape, binding), dtype }),
      ),
    }),
  );
  const sizeOf = (dim: Dim): number => (typeof dim === "number" ? dim : evaluateDim(dim, binding));
  return Object.freeze({ steps: bound, sizeOf });
}

/** Text lengths and the sizes of last batches differ; more at once than this is no pattern to remember. */
const KEPT_BINDINGS = 32;

/** {@link bindSteps} that remembers its latest results. */
export function createStepBinder(steps: readonly Step[]): (binding: DimBinding) => BoundSteps {
  const kept = new Map<string, BoundSteps>();
  return (binding) => {
    const key = JSON.stringify(Object.entries(binding).sort());
    const bound = kept.get(key) ?? bindSteps(steps, binding);
    // Those in use are put to the end: the oldest goes first.
    kept.delete(key);
    kept.set(key, bound);
    const [oldest] = kept.keys();
    if (kept.size > KEPT_BINDINGS && oldest !== undefined) kept.delete(oldest);
    return bound;
  };
}
