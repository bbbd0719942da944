/** Optimizer: a graph-level update of one parameter from its gradient; state and step scalars are declared as data. */
import type { Value } from "../graph/node.js";
import type { ParameterSpec } from "../graph/param-scope.js";

/** State kept for each parameter, of its shape, e.g. Adam's moments. */
export interface OptimizerSlot {
  readonly name: string;
  readonly initial: number;
}

/** Settings of one group of parameters. */
export interface ParameterGroup {
  readonly name: string;
  /** Multiplies the learning rate. */
  readonly learningRateScale: number;
  readonly weightDecay: number;
}

export interface UpdateContext {
  readonly spec: ParameterSpec;
  readonly group: ParameterGroup;
  readonly parameter: Value;
  readonly gradient: Value;
  /** Slot name → value, of the parameter's shape. */
  readonly slots: Readonly<Record<string, Value>>;
  /** Step scalars by name (float32 scalars), among them those of {@link Optimizer.scalars}. */
  readonly scalars: Readonly<Record<string, Value>>;
}

export interface UpdateOutput {
  readonly parameter: Value;
  readonly slots: Readonly<Record<string, Value>>;
}

export interface Optimizer {
  readonly name: string;
  readonly slots: readonly OptimizerSlot[];
  /** Names of the scalars that the update reads. */
  readonly scalarNames: readonly string[];
  /** Step scalars, computed in float64 on the host: `step` counts from 0, `learningRate` is the schedule's. */
  scalars(step: number, learningRate: number): Readonly<Record<string, number>>;
  /** The group of a parameter; each belongs to exactly one. */
  groupOf(spec: ParameterSpec): ParameterGroup;
  /** Checks the groups against all parameters of a model, before a step is built. @throws ConfigError naming a pattern that fits none. */
  checkParameters?(specs: readonly ParameterSpec[]): void;
  update(context: UpdateContext): UpdateOutput;
}

/** Learning rate at a step (counted from 0). */
export interface Schedule {
  readonly name: string;
  learningRate(step: number): number;
}
