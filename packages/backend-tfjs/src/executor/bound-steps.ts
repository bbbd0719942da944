/** A plan's steps with every symbol replaced by its size: kept for the bindings of the last runs. */
import {
  evaluateDim,
  evaluateShape,
  type Attrs,
  type Dim,
  type DimBinding,
  type Node,
  type Shape,
} from "@diptych/core";
import type { Concrete, ResultType } from "../engines/engine.js";
import type { ExecutionPlan, PlannedStep } from "./plan.js";

export interface BoundStep extends PlannedStep {
  readonly attrs: Concrete<Attrs>;
  readonly results: readonly ResultType[];
}

/** Bindings whose steps are kept; text lengths vary from batch to batch. */
const KEPT_BINDINGS = 64;

const SHAPES: ReadonlySet<string> = new Set(["shape", "begins", "inputShape", "filterShape"]);

function concreteAttrs({ op, attrs }: Node, binding: DimBinding): Concrete<Attrs> {
  if (op === "constant") return attrs;
  return Object.fromEntries(
    Object.entries(attrs).map(([key, value]) => {
      if (SHAPES.has(key)) return [key, evaluateShape(value as Shape, binding)];
      return [key, key === "dim" ? evaluateDim(value as Dim, binding) : value];
    }),
  );
}

function bindStep(step: PlannedStep, binding: DimBinding): BoundStep {
  const { node } = step;
  return {
    ...step,
    attrs: concreteAttrs(node, binding),
    results: node.outputs.map(({ dtype, shape }) => ({
      dtype,
      shape: evaluateShape(shape, binding),
    })),
  };
}

/** `stepsFor(binding)`: the plan's steps under a binding. */
export function createStepCache(
  plan: ExecutionPlan,
): (binding: DimBinding) => readonly BoundStep[] {
  const known = new Map<string, readonly BoundStep[]>();
  return (binding) => {
    const key = JSON.stringify(binding);
    const steps = known.get(key) ?? plan.steps.map((step) => bindStep(step, binding));
    // The oldest goes first: those in use are put to the end.
    known.delete(key);
    known.set(key, steps);
    if (known.size > KEPT_BINDINGS) known.delete(known.keys().next().value!);
    return steps;
  };
}
