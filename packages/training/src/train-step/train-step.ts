/** What a train step is: two graphs over shared device buffers, and the names and shapes of everything that they read and keep. */
import type {
  DType,
  Graph,
  InputSpec,
  Optimizer,
  ParameterSpec,
  RandomDistribution,
  TrainingPrecision,
} from "@diptych/core";

/** A tensor that lives on the device from step to step and belongs to the saved state. */
export interface StateTensor {
  /** `<parameter>`, `optimizer.<slot>.<parameter>` or `ema.<parameter>`. */
  readonly name: string;
  readonly shape: readonly number[];
  /** The parameter that it belongs to. */
  readonly parameter: string;
  /** First value: the parameter's own initial values, or a number. */
  readonly initial: "parameter" | number;
}

/** A tensor that one executable writes and the other reads, reused at each step. */
export interface WorkTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** A random input of the step, its shape in numbers. */
export interface RandomInput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly distribution: RandomDistribution;
}

export interface TrainStep {
  /**
   * Reads parameters, batch and random inputs; gives `report` (float32 vector of {@link TrainStep.reportNames}),
   * `gradNorm` (float32 scalar), `grad.<parameter>` and `buffer.<buffer>`.
   */
  readonly gradient: Graph;
  /** Reads state, `stepScalars`, `gradNorm`, `grad.…` and `buffer.…`; gives `new.<state tensor>`. */
  readonly update: Graph;
  /** Inputs of `update` that its outputs may overwrite: state tensor `x` by `new.x`. */
  readonly donate: Readonly<Record<string, string>>;
  /** Entries of `report`: loss, gradNorm, finite (1 or 0), logitScale, then `metric.<name>`. */
  readonly reportNames: readonly string[];
  /** Entries of the `stepScalars` vector, in order. */
  readonly scalarNames: readonly string[];
  /** Every weight and buffer of the model. */
  readonly parameters: readonly ParameterSpec[];
  /** Weights that the step updates. */
  readonly trained: readonly string[];
  /** Weights that it does not: of groups with learningRateScale 0, or out of the loss's reach. */
  readonly untrained: readonly string[];
  readonly state: readonly StateTensor[];
  /** Outputs of `gradient` that stay on the device. */
  readonly work: readonly WorkTensor[];
  /** Buffers with new values: `buffer.<name>` takes the place of `<name>` once the step has held. */
  readonly buffers: readonly string[];
  /** What each batch feeds; symbols that are bound are numbers here. */
  readonly batchInputs: readonly InputSpec[];
  readonly randomInputs: readonly RandomInput[];
  readonly optimizer: Optimizer;
  /** Decay of the moving average of the weights; null without one. */
  readonly ema: number | null;
  /** Where it scales the loss, `gradient` reads `lossScale` and gives gradients times it; `update` takes it back by a step scalar. */
  readonly precision: TrainingPrecision;
}

export const REPORT = "report";
export const GRAD_NORM = "gradNorm";
export const STEP_SCALARS = "stepScalars";
/** Step scalar: the share of the new weights in the moving average. */
export const EMA_RATE = "emaRate";

/** Input of the gradient graph: what the loss is multiplied by before it is differentiated (float32 scalar). */
export const LOSS_SCALE = "lossScale";
/** Step scalar: 1 over the loss scale. */
export const INVERSE_LOSS_SCALE = "inverseLossScale";

export const gradientName = (parameter: string): string => `grad.${parameter}`;
export const bufferName = (buffer: string): string => `buffer.${buffer}`;
export const slotName = (slot: string, parameter: string): string =>
  `optimizer.${slot}.${parameter}`;
export const emaName = (parameter: string): string => `ema.${parameter}`;
export const newName = (state: string): string => `new.${state}`;

/**
 * Share of the new weights in the moving average at `step` (from 0): 1 − min(decay, (1 + step)/(10 + step)), so that
 * the first values are soon forgotten (TensorFlow's ExponentialMovingAverage with num_updates).
 */
export function emaRate(decay: number, step: number): number {
  return 1 - Math.min(decay, (1 + step) / (10 + step));
}
