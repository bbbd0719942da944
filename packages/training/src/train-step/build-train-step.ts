/** Builds a train step from a model with its loss and an optimizer: the gradient graph, the update graph, and what they keep. */
import {
  bindShape,
  evaluateShape,
  shapeOf,
  dtypeOf,
  scalesLoss,
  TrainingError,
  type BuiltLoss,
  type DimBinding,
  type Graph,
  type Optimizer,
  type ParameterSpec,
  type TrainingPrecision,
} from "@diptych/core";
import { bind, runPasses } from "@diptych/core/backend";
import { buildGradientGraph } from "./gradient-graph.js";
import { reachedParameters } from "./reached-parameters.js";
import {
  bufferName,
  EMA_RATE,
  GRAD_NORM,
  gradientName,
  INVERSE_LOSS_SCALE,
  REPORT,
  type StateTensor,
  type TrainStep,
  type WorkTensor,
} from "./train-step.js";
import { buildUpdateGraph } from "./update-graph.js";

export interface TrainStepOptions {
  /** A model in training mode with its loss: `buildLoss(buildEncoders({ …, mode: "train" }), loss)`. */
  readonly built: BuiltLoss;
  readonly optimizer: Optimizer;
  /** Global L2 norm that gradients are clipped to; null: not at all. Default 1. */
  readonly clipNorm?: number | null;
  /** Decay of a moving average of weights and buffers; null: none (the default). */
  readonly ema?: number | null;
  /** Sizes of the batch's symbols, so that memory is planned once, e.g. `{ imageBatch: 64, textBatch: 64 }`. */
  readonly binding?: DimBinding;
  /** Recomputes cheap activations in the backward part to save memory. Default false. */
  readonly rematerialise?: boolean;
  /** In how many bits the forward part and its derivative are computed; default `fp32`. */
  readonly precision?: TrainingPrecision;
}

/**
 * A step as two graphs (design §7): *gradient* gives the loss, metrics, gradients and their global norm; *update*
 * clips as torch.nn.utils.clip_grad_norm_, applies the optimizer and then each parameter's bounds. The second runs only
 * when the host has read that the first is finite, and its inputs are donated, which one graph could not do safely.
 *
 * @throws ConfigError where the optimizer's groups do not fit the parameters; TrainingError where the model was built
 * for evaluation or the loss trains nothing.
 */
export function buildTrainStep(options: TrainStepOptions): TrainStep {
  const { built, optimizer, clipNorm = 1, ema = null, binding = {}, precision = "fp32" } = options;
  const { model } = built;
  if (model.mode !== "train") {
    throw new TrainingError(
      `training/buildTrainStep: built: expected a model in training mode, got ${model.mode}. Build it with mode: "train".`,
    );
  }
  optimizer.checkParameters?.(model.parameters);
  const weights = model.parameters.filter((spec) => spec.role === "weight");
  const trained = trainedWeights(built, optimizer, weights);
  const names = trained.map(({ name }) => name);
  const buffers = model.parameters.filter(({ name }) => model.bufferUpdates.has(name));
  const scalarNames = [
    ...optimizer.scalarNames,
    ...(ema === null ? [] : [EMA_RATE]),
    ...(scalesLoss(precision) ? [INVERSE_LOSS_SCALE] : []),
  ];
  const { graph, reportNames } = buildGradientGraph({
    built,
    trained: names,
    rematerialise: options.rematerialise ?? false,
    precision,
  });
  const update = buildUpdateGraph({
    optimizer,
    trained,
    buffers,
    clipNorm,
    ema: ema !== null,
    scalarNames,
  });
  return Object.freeze({
    gradient: bindSymbols(graph, binding),
    update: update.graph,
    donate: update.donate,
    reportNames,
    scalarNames: Object.freeze(scalarNames),
    parameters: model.parameters,
    trained: Object.freeze(names),
    untrained: Object.freeze(
      weights.filter((spec) => !trained.includes(spec)).map(({ name }) => name),
    ),
    state: Object.freeze([...parameterState(model.parameters), ...update.state]),
    work: Object.freeze(workTensors(reportNames.length, trained, buffers)),
    buffers: Object.freeze(buffers.map(({ name }) => name)),
    batchInputs: Object.freeze(
      Object.entries({ ...model.inputs, ...built.auxiliary }).map(([name, value]) =>
        Object.freeze({
          name,
          shape: bindShape(shapeOf(value), binding),
          dtype: dtypeOf(value),
        }),
      ),
    ),
    randomInputs: Object.freeze(
      model.randomInputs.map(({ name, shape, distribution }) =>
        Object.freeze({ name, shape: evaluateShape(shape, binding), distribution }),
      ),
    ),
    optimizer,
    ema,
    precision,
  });
}

/** Weights that the loss reaches and that no group freezes. */
function trainedWeights(
  built: BuiltLoss,
  optimizer: Optimizer,
  weights: readonly ParameterSpec[],
): readonly ParameterSpec[] {
  const reached = reachedParameters(built.loss, built.model.values);
  const trained = weights.filter(
    (spec) => reached.has(spec.name) && optimizer.groupOf(spec).learningRateScale !== 0,
  );
  if (trained.length > 0) return trained;
  throw new TrainingError(
    `training/buildTrainStep: loss: expected some of the ${weights.length} weights to train, got none: the loss reaches ${reached.size} parameters and all of them are frozen (learningRateScale 0). Use another loss or other groups.`,
  );
}

function bindSymbols(graph: Graph, binding: DimBinding): Graph {
  return Object.keys(binding).length === 0 ? graph : runPasses(graph, [bind(binding)]);
}

function parameterState(specs: readonly ParameterSpec[]): readonly StateTensor[] {
  return specs.map(({ name, shape }) => ({
    name,
    shape,
    parameter: name,
    initial: "parameter" as const,
  }));
}

function workTensors(
  reportSize: number,
  trained: readonly ParameterSpec[],
  buffers: readonly ParameterSpec[],
): readonly WorkTensor[] {
  const float32 = (name: string, shape: readonly number[]): WorkTensor => ({
    name,
    shape,
    dtype: "float32",
  });
  return [
    float32(REPORT, [reportSize]),
    float32(GRAD_NORM, []),
    ...trained.map(({ name, shape }) => float32(gradientName(name), shape)),
    ...buffers.map(({ name, shape }) => float32(bufferName(name), shape)),
  ];
}
