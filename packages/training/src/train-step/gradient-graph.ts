/** The first graph of a step: loss, metrics, gradients, their global norm and the buffers' new values. */
import {
  abs,
  and,
  cast,
  concat,
  createGraph,
  gradients as differentiate,
  less,
  reshape,
  type BuiltLoss,
  type Graph,
  type Value,
} from "@diptych/core";
import { rematerialise, runPasses } from "@diptych/core/backend";
import { globalNorm } from "./global-norm.js";
import { bufferName, GRAD_NORM, gradientName, REPORT } from "./train-step.js";

/** Below it a float32 is finite: the largest is 3.4028235e38. */
const LARGEST_FLOAT32 = 3.4028234e38;

export interface GradientGraphOptions {
  readonly built: BuiltLoss;
  /** Weights to differentiate by. */
  readonly trained: readonly string[];
  /** Recomputes cheap activations in the backward part. */
  readonly rematerialise: boolean;
}

export interface GradientGraph {
  readonly graph: Graph;
  readonly reportNames: readonly string[];
}

/** Builds the gradient graph; symbols stay. */
export function buildGradientGraph(options: GradientGraphOptions): GradientGraph {
  const { built, trained } = options;
  const { model, metrics } = built;
  const metricNames = Object.keys(metrics);
  const buffers = [...model.bufferUpdates];
  const result = differentiate({
    outputs: [built.loss],
    wrt: trained.map((name) => model.values.get(name)!),
    carry: [...Object.values(metrics), ...buffers.map(([, value]) => value)],
  });
  const [loss] = result.outputs;
  const norm = globalNorm(result.gradients);
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
  const forward = [loss!, ...result.carried];
  return {
    graph: options.rematerialise ? runPasses(graph, [rematerialise({ forward })]) : graph,
    reportNames: Object.freeze(entries.map(([name]) => name)),
  };
}

/** Neither NaN, which compares false, nor infinite. */
function isFinite(x: Value): Value {
  return less(abs(cast(x, "float32")), LARGEST_FLOAT32);
}
