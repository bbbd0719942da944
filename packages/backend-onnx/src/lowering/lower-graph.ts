/** From a core graph to an ONNX model: names, constants, symbols, and the way back from a node's name to its op. */
import {
  dimSymbols,
  dtypeOf,
  inputName,
  isLeafInput,
  isSymbolic,
  nodeValues,
  shapeOf,
  ShapeError,
  typeOf,
  UnsupportedOpError,
  type Dim,
  type Graph,
  type Node,
  type Shape,
  type Value,
  zerosHost,
} from "@diptych/core";
import { executionOrder, withoutBroadcasts } from "@diptych/core/backend";
import {
  ONNX_TYPE_NUMBERS,
  type OnnxModel,
  type OnnxNode,
  type OnnxValueInfo,
} from "../model-proto/onnx-model.js";
import type { Lowering, LoweringContext } from "./lowering.js";
import { withWideFloats } from "./narrow-floats.js";
import { createOnnxBuilder, onnxShape, type Name } from "./onnx-builder.js";
import { createSizes } from "./sizes.js";
import { planSymbols, type SymbolPlan } from "./symbol-plan.js";
import { loweringOf } from "./table.js";
import { withWideBools } from "./wide-bools.js";
import type { LoweringTarget } from "./target.js";

/** A lowered graph. */
export interface LoweredGraph {
  readonly model: OnnxModel;
  /** The graph's input name → its name in the model. */
  readonly inputNames: ReadonlyMap<string, Name>;
  /** The graph's output name → its name in the model. */
  readonly outputNames: ReadonlyMap<string, Name>;
  readonly symbols: SymbolPlan;
  /** What a node of the model stands for: `core op matmul at visual/transformer/resblocks.0/mlp`. */
  readonly describeNode: (name: string) => string;
}

/** @throws UnsupportedOpError on an op without a lowering, ShapeError on a symbol that no input tells. */
export function lowerGraph(given: Graph, target: LoweringTarget): LoweredGraph {
  const graph = withoutBroadcasts(given);
  const nodes = executionOrder(graph);
  const symbols = planSymbols(graph.inputs);
  checkSymbols(graph, nodes, symbols);
  const inputNames = new Map(graph.inputs.map(({ node }) => [inputName(node), inputName(node)]));
  const onnx = createOnnxBuilder(target, inputNames);
  const context: LoweringContext = {
    onnx,
    sizes: createSizes(onnx, symbols),
    float: "float32",
  };
  const names = new Map<Value, Name>();
  nodes.forEach((node, index) => {
    onnx.setPrefix(`${index}.${node.op}`);
    lowerNode(node, names, context);
  });
  const built = onnx.built();
  const { outputNames, nodes: named } = nameOutputs(graph, names, { nodes: built.nodes, target });
  const model: OnnxModel = {
    opset: target.opset,
    metadata: {},
    graph: {
      name: graph.name,
      nodes: named,
      initializers: built.initializers,
      values: built.values,
      inputs: graph.inputs.map((value) => valueInfo(inputName(value.node), value)),
      outputs: Object.entries(graph.outputs).map(([name, value]) =>
        valueInfo(outputNames.get(name) ?? name, value),
      ),
    },
  };
  return { model, inputNames, outputNames, symbols, describeNode: (name) => describe(name, nodes) };
}

function valueInfo(name: Name, value: Value): OnnxValueInfo {
  return { name, dtype: dtypeOf(value), shape: onnxShape(shapeOf(value)) };
}

/** The empty tensor that every output of the node is, if they all are. ONNX Runtime's optimiser loses sizes of 0. */
function emptyResults(node: Node, { onnx }: LoweringContext): readonly Name[] | undefined {
  if (isLeafInput(node)) return undefined;
  const names = node.outputs.map(({ shape, dtype }) => {
    const sizes = shape.filter((dim): dim is number => !isSymbolic(dim));
    if (sizes.length < shape.length || !sizes.includes(0)) return undefined;
    return onnx.constant(zerosHost(dtype, sizes));
  });
  const known = names.filter((name) => name !== undefined);
  return known.length === names.length ? known : undefined;
}

function lowerNode(node: Node, names: Map<Value, Name>, context: LoweringContext): void {
  const results = emptyResults(node, context) ?? loweredResults(node, names, context);
  nodeValues(node).forEach((value, i) => names.set(value, results[i] ?? ""));
}

function loweredResults(
  node: Node,
  names: ReadonlyMap<Value, Name>,
  context: LoweringContext,
): readonly Name[] {
  const lowering: Lowering | undefined = loweringOf(node.op);
  if (!lowering) {
    throw new UnsupportedOpError(
      `backend-onnx/lowering: op: expected one with a lowering, got ${node.op} (at "${node.origin}"). Expand it first (core's legalize does).`,
    );
  }
  const results = withWideBools(node.op, withWideFloats(node.op, lowering))(
    {
      attrs: node.attrs,
      inputs: node.inputs.map((value) => names.get(value) ?? ""),
      inputTypes: node.inputs.map(typeOf),
      outputTypes: node.outputs,
    },
    context,
  );
  return typeof results === "string" ? [results] : results;
}

function checkSymbols(graph: Graph, nodes: readonly Node[], symbols: SymbolPlan): void {
  const known = new Set(symbols.map(({ symbol }) => symbol));
  for (const node of nodes) {
    const { op, origin } = node;
    const missing = dimsOf(node)
      .flatMap(dimSymbols)
      .find((symbol) => !known.has(symbol));
    if (missing === undefined) continue;
    throw new ShapeError(
      `backend-onnx/lowering: symbol ${missing}: expected an axis of an input that tells its size, got none (${op} at "${origin}" in graph ${graph.name}). Feed an input that has it, or bind it.`,
    );
  }
}

/** Every dim that lowering the node may need. */
function dimsOf({ op, attrs, outputs }: Node): readonly Dim[] {
  const shapes = outputs.flatMap(({ shape }) => shape);
  if (op === "dimSize") return [attrs["dim"] as Dim, ...shapes];
  return op === "slice" || op === "pad" ? [...(attrs["begins"] as Shape), ...shapes] : shapes;
}

/**
 * Gives the graph's outputs their names. A value that a node makes is renamed; one that has a name already (an input, a
 * constant, an output under two names) is copied by an Identity.
 */
function nameOutputs(
  graph: Graph,
  names: ReadonlyMap<Value, Name>,
  { nodes, target }: { readonly nodes: readonly OnnxNode[]; readonly target: LoweringTarget },
): { outputNames: ReadonlyMap<string, Name>; nodes: readonly OnnxNode[] } {
  const made = new Set(nodes.flatMap((node) => node.outputs));
  const taken = new Set(graph.inputs.map(({ node }) => inputName(node)));
  const renamed = new Map<Name, Name>();
  const outputNames = new Map<string, Name>();
  const copies: OnnxNode[] = [];
  for (const [output, value] of Object.entries(graph.outputs)) {
    let name = output;
    while (taken.has(name)) name = `${name}.out`;
    taken.add(name);
    outputNames.set(output, name);
    const source = names.get(value) ?? "";
    if (made.has(source) && !renamed.has(source)) renamed.set(source, name);
    else if (dtypeOf(value) === "bool" && !target.integerKernels)
      copies.push(...boolCopy(output, source, name));
    else copies.push(identityNode(output, source, name));
  }
  const rename = (name: Name): Name => renamed.get(name) ?? name;
  const all = [...nodes, ...copies].map((node) => ({
    ...node,
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map(rename),
  }));
  return { outputNames, nodes: all };
}

function identityNode(output: string, source: Name, name: Name): OnnxNode {
  return {
    name: `output.${output}`,
    op: "Identity",
    domain: "",
    inputs: [source],
    outputs: [name],
    attributes: {},
  };
}

/** A copy of booleans where Identity does not take them. */
function boolCopy(output: string, source: Name, name: Name): readonly OnnxNode[] {
  const identity = identityNode(output, source, name);
  const wide = `/${name}.wide`;
  return [
    {
      ...identity,
      name: `${identity.name}.wide`,
      op: "Cast",
      outputs: [wide],
      attributes: { to: ONNX_TYPE_NUMBERS.int32 },
    },
    { ...identity, op: "Cast", inputs: [wide], attributes: { to: ONNX_TYPE_NUMBERS.bool } },
  ];
}

function describe(name: string, nodes: readonly Node[]): string {
  const node = nodes[Number.parseInt(name, 10)];
  if (!node) return `node ${name}`;
  return `core op ${node.op} at ${node.origin === "" ? "the graph's top" : node.origin}`;
}
