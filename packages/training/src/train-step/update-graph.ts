/** The second graph of a step: clip, optimizer, bounds and moving average, each written over what it replaces. */
import {
  add,
  clamp,
  createGraph,
  input,
  mul,
  parameter,
  reshape,
  sliceAxis,
  sub,
  type Graph,
  type Optimizer,
  type ParameterSpec,
  type Value,
} from "@diptych/core";
import { clipCoefficient } from "./global-norm.js";
import {
  bufferName,
  EMA_RATE,
  emaName,
  GRAD_NORM,
  gradientName,
  INVERSE_LOSS_SCALE,
  newName,
  slotName,
  STEP_SCALARS,
  type StateTensor,
} from "./train-step.js";

export interface UpdateGraphOptions {
  readonly optimizer: Optimizer;
  /** Weights to update. */
  readonly trained: readonly ParameterSpec[];
  /** Buffers that the gradient graph gives new values of. */
  readonly buffers: readonly ParameterSpec[];
  readonly clipNorm: number | null;
  readonly ema: boolean;
  /** Entries of the vector of step scalars. */
  readonly scalarNames: readonly string[];
}

export interface UpdateGraph {
  readonly graph: Graph;
  readonly donate: Readonly<Record<string, string>>;
  /** Slots and averages, beside the parameters themselves. */
  readonly state: readonly StateTensor[];
}

/** Builds the update graph. */
export function buildUpdateGraph(options: UpdateGraphOptions): UpdateGraph {
  const { optimizer, trained, buffers, clipNorm, ema } = options;
  const updated = new Map<string, Value>();
  const state: StateTensor[] = [];
  const scalars = stepScalars(options.scalarNames);
  const norm = clipNorm === null ? undefined : input(GRAD_NORM, []);
  const clip = norm && clipNorm !== null ? clipCoefficient(norm, clipNorm) : undefined;
  const unscale = scalars[INVERSE_LOSS_SCALE];
  const factor = clip && unscale ? mul(clip, unscale) : (clip ?? unscale);

  const average = (spec: ParameterSpec, value: () => Value): void => {
    // Buffers without axes are counters: an average of them means nothing.
    if (!ema || (spec.role === "buffer" && spec.shape.length === 0)) return;
    const name = emaName(spec.name);
    state.push({ name, shape: spec.shape, parameter: spec.name, initial: "parameter" });
    const before = input(name, spec.shape);
    updated.set(name, add(before, mul(sub(value(), before), scalars[EMA_RATE]!)));
  };

  for (const spec of trained) {
    const { name, shape } = spec;
    const gradient = input(gradientName(name), shape);
    const slots = Object.fromEntries(
      optimizer.slots.map((slot) => [slot.name, input(slotName(slot.name, name), shape)]),
    );
    const output = optimizer.update({
      spec,
      group: optimizer.groupOf(spec),
      parameter: parameter(name, shape),
      gradient: factor ? mul(gradient, factor) : gradient,
      slots,
      scalars,
    });
    const value = spec.bounds ? clamp(output.parameter, ...spec.bounds) : output.parameter;
    updated.set(name, value);
    for (const slot of optimizer.slots) {
      const key = slotName(slot.name, name);
      state.push({ name: key, shape, parameter: name, initial: slot.initial });
      updated.set(key, output.slots[slot.name]!);
    }
    average(spec, () => value);
  }
  for (const spec of buffers) average(spec, () => input(bufferName(spec.name), spec.shape));
  const names = [...updated.keys()];
  return {
    graph: createGraph(
      "update",
      Object.fromEntries(names.map((name) => [newName(name), updated.get(name)!])),
    ),
    donate: Object.freeze(Object.fromEntries(names.map((name) => [name, newName(name)]))),
    state: Object.freeze(state),
  };
}

/** Each scalar of the vector that the host writes before a step. */
function stepScalars(names: readonly string[]): Readonly<Record<string, Value>> {
  if (names.length === 0) return {};
  const vector = input(STEP_SCALARS, [names.length]);
  return Object.fromEntries(
    names.map((name, i) => [name, reshape(sliceAxis(vector, 0, i, 1), [])] as const),
  );
}
