/**
 * The order of a model's nodes, which decides how much memory a run takes. ONNX Runtime's sequential executor starts
 * from the last node that nobody reads and computes what it needs, then the one before (Graph::ReverseDFSFrom). So the
 * outputs that need the longest chains come first: the gradient of the last layer's weights is computed, and its
 * activations are freed, before the walk goes on to the layer below, whatever the outputs are called.
 */
import type { Graph, Node, Value } from "@diptych/core";
import { graphNodes, nodesInOrder } from "@diptych/core/backend";

/** All nodes of a graph, operands before their readers. Unused inputs are included. */
export function orderNodes(graph: Graph): readonly Node[] {
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
