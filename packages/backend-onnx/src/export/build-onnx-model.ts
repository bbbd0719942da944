/**
 * A graph with its parameters as an ONNX model for other tools: the same lowering with standard operators of opset 18
 * only, parameters as initializers, inputs under the names, and ids of the width, that the reader of the file expects.
 */
import {
  BackendError,
  createGraph,
  DTYPES,
  inputName,
  type BackendCapabilities,
  type ConstantPrecision,
  type Graph,
  type HostTensor,
  type Value,
} from "@diptych/core";
import {
  applyPrecision,
  createPrecisionPolicy,
  prepareForBackend,
  withoutConstants,
} from "@diptych/core/backend";
import { bindConstants } from "../constants.js";
import { lowerGraph, type LoweredGraph } from "../lowering/lower-graph.js";
import { EXPORT_TARGET } from "../lowering/target.js";
import { foldConstants } from "../model-proto/fold-constants.js";
import {
  ONNX_TYPE_NUMBERS,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxValueInfo,
} from "../model-proto/onnx-model.js";
import { narrowGraph } from "../quantize/narrow-graph.js";
import { quantizeGraph } from "../quantize/quantize-graph.js";

export interface OnnxModelOptions {
  /** Values of the graph's parameters by name; those of other graphs are passed over. */
  readonly parameters: ReadonlyMap<string, HostTensor>;
  /**
   * float32 by default. float16: weights and products in 16 bits; norms, softmax, masks, inputs and outputs stay float32.
   * int8: as the backend's own (see `quantizeGraph`), by standard operators; filters of convolutions are stored in int8
   * and widened when the file is loaded.
   */
  readonly precision?: ConstantPrecision;
  /**
   * int8 weights in 7 bits, so that no processor's 8-bit products saturate (x86 without VNNI); default true, since a file
   * may run anywhere.
   */
  readonly reduceRange?: boolean;
  /** Names of inputs in the file, by their names in the graph. */
  readonly inputNames?: Readonly<Record<string, string>>;
  /** Inputs that the file takes as int64, by their names in the graph. */
  readonly int64Inputs?: readonly string[];
  /** Names of open sizes in the file, by their symbols. */
  readonly sizeNames?: Readonly<Record<string, string>>;
  /**
   * Builds the model's outputs from the graph's, in float32 whatever the precision: similarities, which a scale of 100
   * leaves without a fraction in 16 bits.
   */
  readonly finish?: (outputs: Readonly<Record<string, Value>>) => Readonly<Record<string, Value>>;
  /** Free text by key, kept with the model. */
  readonly metadata?: Readonly<Record<string, string>>;
}

const CAPABILITIES: BackendCapabilities = Object.freeze({
  nativeComposites: EXPORT_TARGET.composites,
  dtypes: new Set(DTYPES),
  donation: false,
  imageLayout: "NCHW",
  deviceMemory: "host",
});

/**
 * The model of a graph; the graph's outputs keep their names. Open sizes stay open.
 *
 * @throws BackendError on a parameter without a value or of another shape; on weights that 16 bits cannot hold.
 */
export function buildOnnxModel(given: Graph, options: OnnxModelOptions): OnnxModel {
  const { parameters, precision = "float32", reduceRange = true, metadata = {} } = options;
  const narrow = precision === "float16";
  const typed = narrow ? applyPrecision(given, createPrecisionPolicy("float16")) : given;
  const finished = options.finish ? createGraph(given.name, options.finish(typed.outputs)) : typed;
  checkParameters(finished, parameters);
  const graph = prepareForBackend(finished, CAPABILITIES, "onnx");
  withoutConstants(graph, parameters, { where: "backend-onnx/compile", label: graph.name });
  const lowered = lowerGraph(graph, EXPORT_TARGET);
  const bound = foldConstants(bindConstants(lowered.model.graph, parameters, lowered.inputNames));
  const rewritten = {
    float32: () => bound,
    float16: () => narrowGraph(bound),
    int8: () => quantizeGraph(bound, { reduceRange, contrib: false, filters: true }),
  }[precision]();
  return {
    ...lowered.model,
    metadata,
    graph: withOutsideNames(withoutIdleOutputs(rewritten), lowered, options),
  };
}

function checkParameters(graph: Graph, parameters: ReadonlyMap<string, HostTensor>): void {
  const missing = graph.inputs
    .filter(({ node }) => node.op === "parameter" && !parameters.has(inputName(node)))
    .map(({ node }) => `"${inputName(node)}"`);
  if (missing.length === 0) return;
  throw new BackendError(
    `backend-onnx/buildOnnxModel: parameters of "${graph.name}": expected a value for each, got none for ${missing.join(", ")}. Load a checkpoint of this model.`,
  );
}

/** Trailing results that nothing reads (the statistics of norms) are optional: without them other tools have less to support. */
function withoutIdleOutputs(graph: OnnxGraph): OnnxGraph {
  const used = new Set([
    ...graph.nodes.flatMap(({ inputs }) => inputs),
    ...graph.outputs.map(({ name }) => name),
  ]);
  const nodes = graph.nodes.map((node) => {
    const last = node.outputs.findLastIndex((name) => used.has(name));
    return { ...node, outputs: node.outputs.slice(0, Math.max(1, last + 1)) };
  });
  return { ...graph, nodes };
}

/** Inputs under their names and types outside; what reads them inside goes on to read the inner name. */
function withOutsideNames(
  graph: OnnxGraph,
  { inputNames }: LoweredGraph,
  { inputNames: outside = {}, int64Inputs = [], sizeNames = {} }: OnnxModelOptions,
): OnnxGraph {
  const graphNames = new Map([...inputNames].map(([name, inner]) => [inner, name]));
  const doors: OnnxNode[] = [];
  const renamed = new Map<string, string>();
  const inputs = graph.inputs.map((info) => {
    const name = graphNames.get(info.name) ?? info.name;
    const outer = outside[name] ?? name;
    const wide = int64Inputs.includes(name);
    const inner = wide ? `/${outer}.int32` : outer;
    renamed.set(info.name, inner);
    if (wide) doors.push(doorNode(outer, inner));
    const dtype = wide ? "int64" : info.dtype;
    return withSizeNames({ ...info, name: outer, dtype }, sizeNames);
  });
  const rename = (name: string): string => renamed.get(name) ?? name;
  return {
    ...graph,
    inputs,
    outputs: graph.outputs.map((info) => withSizeNames(info, sizeNames)),
    values: graph.values.map((info) => withSizeNames(info, sizeNames)),
    nodes: [...doors, ...graph.nodes.map((node) => ({ ...node, inputs: node.inputs.map(rename) }))],
  };
}

/** int64 ids as the graph's int32. */
function doorNode(outer: string, inner: string): OnnxNode {
  return {
    name: `door.${outer}`,
    op: "Cast",
    domain: "",
    inputs: [outer],
    outputs: [inner],
    attributes: { to: ONNX_TYPE_NUMBERS.int32 },
  };
}

function withSizeNames(
  info: OnnxValueInfo,
  names: Readonly<Record<string, string>>,
): OnnxValueInfo {
  return {
    ...info,
    shape: info.shape.map((size) => (typeof size === "string" ? (names[size] ?? size) : size)),
  };
}
