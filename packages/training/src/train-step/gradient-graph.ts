/** The first graph of a step: loss, metrics, gradients, their global norm and the buffers' new values. */
import {
  abs,
  and,
  cast,
  concat,
  createGraph,
  div,
  gradients as differentiate,
  input,
  less,
  lowDtype,
  reshape,
  scalesLoss,
  type BuiltLoss,
  type Graph,
  type TrainingPrecision,
  type Value,
} from "@diptych/core";
import {
  createPrecisionPolicy,
  mixedPrecision,
  rematerialise,
  runPasses,
} from "@diptych/core/backend";
import { globalNorm } from "./global-norm.js";
import { bufferName, GRAD_NORM, gradientName, LOSS_SCALE, REPORT } from "./train-step.js";

/** Below it a float32 is finite: the largest is 3.4028235e38. */
const LARGEST_FLOAT32 = 3.4028234e38;

export interface GradientGraphOptions {
  readonly built: BuiltLoss;
  /** Weights to differentiate by. */
  readonly trained: readonly string[];
  /** Recomputes cheap activations in the backward part. */
  readonly rematerialise: boolean;
  /** Where it scales the loss, gradients are times the input `lossScale`; loss and norm are as they are. */
  readonly precision: TrainingPrecision;
}

export interface GradientGraph {
  readonly graph: Graph;
  readonly reportNames: readonly string[];
}

/** The forward part, as `loss`, `metric.<name>`, `buffer.<name>`. */
function forwardGraph({ loss, metrics, model }: BuiltLoss): Graph {
  return createGraph("forward", {
    loss,
    ...Object.fromEntries(
      Object.entries(metrics).map(([name, value]) => [`metric.${name}`, value]),
    ),
    ...Object.fromEntries(
      [...model.bufferUpdates].map(([name, value]) => [bufferName(name), value]),
    ),
  });
}

/** The forward part in a precision. Parameters and inputs keep their identity: they are cast where they are used. */
function forwardIn(precision: TrainingPrecision, built: BuiltLoss): Graph["outputs"] {
  const low = lowDtype(precision);
  const forward = forwardGraph(built);
  if (low === undefined) return forward.outputs;
  const features = Object.values(built.model.encoded).flatMap(
    ({ pooled, tokens, intermediates }) => [
      pooled,
      ...(tokens ? [tokens] : []),
      ...Object.values(intermediates),
    ],
  );
  return runPasses(forward, [mixedPrecision(createPrecisionPolicy(low), { features })]).outputs;
}

/** Builds the gradient graph; symbols stay. */
export function buildGradientGraph(options: GradientGraphOptions): GradientGraph {
  const { built, trained, precision } = options;
  const { model, metrics } = built;
  const metricNames = Object.keys(metrics);
  const buffers = [...model.bufferUpdates];
  const forward = forwardIn(precision, built);
  const scale = scalesLoss(precision) ? input(LOSS_SCALE, []) : undefined;
  const result = differentiate({
    outputs: [forward["loss"]!],
    ...(scale ? { cotangents: [scale] } : {}),
    wrt: trained.map((name) => model.values.get(name)!),
    carry: [
      ...metricNames.map((name) => forward[`metric.${name}`]!),
      ...buffers.map(([name]) => forward[bufferName(name)]!),
    ],
  });
  const [loss] = result.outputs;
  const scaledNorm = globalNorm(result.gradients);
  const norm = scale ? div(scaledNorm, scale) : scaledNorm;
  const entries: readonly (readonly [string, Value])[] = [
    ["loss", loss!],
    ["gradNorm", norm],
    ["finite", and(isFinite(loss!), isFinite(norm))],
    ["logitScale", model.logitScale],
    ...metricNames.map((name, i) => [`metric.${name}`, result.carried[i]!] as const),
  ];
  const graph = createGraph("gradient", {
    [REPORT]: concat(
      entries.map(([, value]) => reshape(cast(value, "float32"), [1])),
      0,
    ),
    [GRAD_NORM]: norm,
    ...Object.fromEntries(trained.map((name, i) => [gradientName(name), result.gradients[i]!])),
    ...Object.fromEntries(
      buffers.map(([name], i) => [bufferName(name), result.carried[metricNames.length + i]!]),
    ),
  });
  const computed = [loss!, ...result.carried];
  return {
    graph: options.rematerialise ? runPasses(graph, [rematerialise({ forward: computed })]) : graph,
    reportNames: Object.freeze(entries.map(([name]) => name)),
  };
}

/** Neither NaN, which compares false, nor infinite. */
function isFinite(x: Value): Value {
  return less(abs(cast(x, "float32")), LARGEST_FLOAT32);
}
