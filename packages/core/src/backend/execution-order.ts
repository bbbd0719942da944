/**
 * The order in which a graph's nodes take the least memory when they run one by one. The outputs that need the longest
 * chains come first: the gradient of the last layer's weights is computed, and its activations are freed, before the walk
 * goes on to the layer below, whatever the outputs are called. ONNX Runtime's sequential executor walks alike
 * (Graph::ReverseDFSFrom).
 */
import { graphNodes, type Graph } from "../graph/graph.js";
import type { Node, Value } from "../graph/node.js";
import { nodesInOrder } from "../graph/traverse.js";

/** All nodes of a graph, operands before their readers. Unused inputs are included. */
export function executionOrder(graph: Graph): readonly Node[] {
  const chains = chainLengths(graphNodes(graph));
  const length = ({ node }: Value): number => chains.get(node) ?? 0;
  const outputs = Object.values(graph.outputs).toSorted((a, b) => length(b) - length(a));
  return nodesInOrder([...graph.inputs, ...outputs]);
}

/** Nodes on the longest way from a leaf to each node. */
function chainLengths(nodes: readonly Node[]): ReadonlyMap<Node, number> {
  const lengths = new Map<Node, number>();
  for (const node of nodes) {
    const before = node.inputs.map((value) => lengths.get(value.node) ?? 0);
    lengths.set(node, 1 + Math.max(0, ...before));
  }
  return lengths;
}
