/** Which forward values a backward part keeps and which it computes again: the minimum cut between what cannot be recomputed and what is read. */
import type { Graph } from "../graph/graph.js";
import { graphNodes, isLeafInput } from "../graph/graph.js";
import { nodeValues } from "../graph/builder.js";
import { typeOf, type Node, type Value } from "../graph/node.js";
import { nodesInOrder } from "../graph/traverse.js";
import { BYTES_PER_ELEMENT } from "../tensor/dtype.js";
import type { Dim, DimBinding } from "../tensor/dim.js";
import { createFlowNetwork } from "./min-cut.js";

/** Size that a symbol is taken for where no binding is given: only proportions matter. */
const NOMINAL_SIZE = 64;

/** Values below this fraction of the largest forward value are kept: what they hold is not worth a computation. */
const KEPT_FRACTION = 1 / 64;

/** Leaves that are there anyway, or cost nothing to make. */
const FREE_LEAVES: ReadonlySet<string> = new Set([
  "input",
  "parameter",
  "constant",
  "iota",
  "dimSize",
]);

/** A graph as the recomputation sees it. */
export interface RecomputePlan {
  /** Forward nodes, each with its place in dependency order. */
  readonly forward: ReadonlyMap<Node, number>;
  /** Forward nodes that the backward part computes again. */
  readonly recomputed: ReadonlySet<Node>;
}

export interface RecomputePlanOptions {
  readonly forward: readonly Value[];
  readonly recompute: (node: Node) => boolean;
  readonly sizes: DimBinding;
}

/**
 * The plan that keeps the fewest bytes for the backward part (as PyTorch's min-cut partitioner, of Chen et al. 2016,
 * arXiv 1604.06174, only the idea); of several such plans the one that recomputes least.
 *
 * A node is joined to each of its results by an edge of the result's bytes, cut where the result is kept, and a result
 * without limit to its readers: whoever recomputes a reader needs it.
 */
export function planRecomputation(graph: Graph, options: RecomputePlanOptions): RecomputePlan {
  const forward = new Map(nodesInOrder(options.forward).map((node, i) => [node, i] as const));
  const network = createFlowNetwork();
  const source = network.addVertex();
  const sink = network.addVertex();
  const cost = keepingCost(graph, [...forward.keys()], options.sizes);
  const nodeVertex = new Map<Node, number>();
  const valueVertex = new Map<Value, number>();
  for (const node of forward.keys()) {
    const vertex = network.addVertex();
    nodeVertex.set(node, vertex);
    if (FREE_LEAVES.has(node.op) || !options.recompute(node))
      network.addEdge(source, vertex, Infinity);
    for (const value of node.inputs) network.addEdge(valueVertex.get(value)!, vertex, Infinity);
    for (const value of nodeValues(node)) {
      const result = network.addVertex();
      valueVertex.set(value, result);
      network.addEdge(vertex, result, cost(value));
    }
  }
  for (const node of graphNodes(graph)) {
    if (forward.has(node)) continue;
    for (const value of new Set(node.inputs)) {
      const vertex = valueVertex.get(value);
      if (vertex !== undefined) network.addEdge(vertex, sink, Infinity);
    }
  }
  const again = network.sinkSide(source, sink);
  const recomputed = [...forward.keys()].filter((node) => again.has(nodeVertex.get(node)!));
  return { forward, recomputed: new Set(recomputed) };
}

/** Bytes that keeping a value costs; nothing for leaves, for results of the graph, and for what is small beside the others. */
function keepingCost(
  graph: Graph,
  forward: readonly Node[],
  sizes: DimBinding,
): (value: Value) => number {
  const results = new Set(Object.values(graph.outputs));
  const computed = forward.filter((node) => !isLeafInput(node)).flatMap(nodeValues);
  const largest = computed.reduce((most, value) => Math.max(most, nominalBytes(value, sizes)), 0);
  return (value) => {
    const bytes = nominalBytes(value, sizes);
    const free = FREE_LEAVES.has(value.node.op) || results.has(value);
    return free || bytes < largest * KEPT_FRACTION ? 0 : bytes;
  };
}

/** Bytes of a value with `sizes`, and {@link NOMINAL_SIZE} for every other symbol. */
export function nominalBytes(value: Value, sizes: DimBinding): number {
  const { shape, dtype } = typeOf(value);
  return shape.reduce<number>(
    (bytes, dim) => bytes * nominalSize(dim, sizes),
    BYTES_PER_ELEMENT[dtype],
  );
}

function nominalSize(dim: Dim, sizes: DimBinding): number {
  if (typeof dim === "number") return dim;
  const size = dim.terms.reduce(
    (total, { coefficient, symbols }) =>
      total +
      symbols.reduce((product, symbol) => product * (sizes[symbol] ?? NOMINAL_SIZE), coefficient),
    0,
  );
  return Math.max(1, size);
}
