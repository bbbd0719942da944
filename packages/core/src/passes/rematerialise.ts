/**
 * rematerialise: computes cheap forward values again in the backward pass, so that they need not be kept between the two.
 * The copies belong to a recompute group (deduplicate leaves them apart) and wait, through `after`, for the cotangent that
 * their first backward reader also reads: a runtime cannot compute them early and keep them all the same.
 */
import type { Graph } from "../graph/graph.js";
import { createGraph, graphNodes, isLeafInput } from "../graph/graph.js";
import type { Node, Value } from "../graph/node.js";
import { atOrigin } from "../graph/origin.js";
import { nodesInOrder, rewriteValues, withInputs } from "../graph/traverse.js";
import { buildNode, nodeValues } from "../graph/builder.js";
import { opDef } from "../ops/op-table.js";
import { after } from "../ops/primitives/elementwise.js";
import type { Pass } from "./pass.js";

/** Ops whose recomputation costs one pass over memory: never a contraction. */
const CHEAP: ReadonlySet<string> = new Set([
  "add",
  "sub",
  "mul",
  "div",
  "max",
  "neg",
  "exp",
  "tanh",
  "sigmoid",
  "erf",
  "cast",
  "select",
  "compare",
  "broadcast",
  "relu",
  "gelu",
  "geluTanh",
  "quickGelu",
  "softmax",
  "layerNorm",
  "reshape",
  "transpose",
]);

export interface RematerialiseOptions {
  /** The forward values that the backward part was made from: losses and metrics. Everything below them is forward. */
  readonly forward: readonly Value[];
  /** Which forward nodes may be computed again; by default ops of one pass over memory. */
  readonly recompute?: (node: Node) => boolean;
}

/** The graph with cheap forward values recomputed where the backward part reads them. */
export function rematerialiseGraph(graph: Graph, options: RematerialiseOptions): Graph {
  const { forward, recompute = (node) => CHEAP.has(node.op) } = options;
  const forwardNodes = new Set(nodesInOrder(forward));
  const mayRecompute = (node: Node): boolean =>
    forwardNodes.has(node) && !isLeafInput(node) && recompute(node);

  /** One copy per node, waiting for the first backward reader's own operand. */
  const copies = new Map<Node, readonly Value[]>();
  const copyOf = (node: Node, dependency: Value): readonly Value[] => {
    const known = copies.get(node);
    if (known) return known;
    const inputs = node.inputs.map((value) =>
      mayRecompute(value.node) ? pick(copyOf(value.node, dependency), value.index) : value,
    );
    const waiting = inputs.some((value, i) => value !== node.inputs[i])
      ? inputs
      : inputs.map((value, i) => (i === 0 ? after(value, dependency) : value));
    const copy = atOrigin(node.origin, "backward", () =>
      buildNode(opDef(node.op), waiting, node.attrs),
    );
    copies.set(node, copy);
    return copy;
  };

  const outputs = Object.entries(graph.outputs);
  const order = graphNodes(graph);
  const backward = new Set(order.filter((node) => !forwardNodes.has(node) && !isLeafInput(node)));
  const lookup = rewriteValues(
    [...graph.inputs, ...outputs.map(([, value]) => value)],
    (node, inputs) => {
      if (!backward.has(node)) return nodeValues(node);
      const at = node.inputs.findIndex((value) => backward.has(value.node));
      const dependency = inputs[at];
      if (!dependency) return withInputs(node, inputs);
      return withInputs(
        node,
        inputs.map((value, i) => {
          const original = node.inputs[i];
          return original && mayRecompute(original.node)
            ? pick(copyOf(original.node, dependency), original.index)
            : value;
        }),
      );
    },
  );
  return createGraph(
    graph.name,
    Object.fromEntries(outputs.map(([name, value]) => [name, lookup(value)])),
    graph.inputs,
  );
}

function pick(values: readonly Value[], index: number): Value {
  const value = values[index];
  if (!value) throw new RangeError(`output ${index} of a recomputed node does not exist`);
  return value;
}

export const rematerialise = (options: RematerialiseOptions): Pass => ({
  name: "rematerialise",
  run: (graph) => rematerialiseGraph(graph, options),
});
