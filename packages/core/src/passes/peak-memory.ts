/** An estimate of a graph's peak memory: bytes alive at once when nodes run in dependency order and die after their last reader. */
import { graphNodes, isLeafInput, type Graph } from "../graph/graph.js";
import type { Node } from "../graph/node.js";
import { readersOf } from "../graph/traverse.js";
import { BYTES_PER_ELEMENT } from "../tensor/dtype.js";
import { elementCount, staticShape } from "../tensor/shape.js";

/** Layout ops that runtimes give for free, as views of their operand. */
const VIEWS: ReadonlySet<string> = new Set(["reshape", "stopGradient", "after"]);

function nodeBytes(node: Node): number {
  return node.outputs.reduce(
    (bytes, { shape, dtype }) =>
      bytes + elementCount(staticShape(shape, "core/estimatePeakBytes")) * BYTES_PER_ELEMENT[dtype],
    0,
  );
}

export interface PeakOptions {
  /** `elsewhere`: outputs are written into memory that is there already, and do not count. */
  readonly outputs?: "counted" | "elsewhere";
}

/**
 * Peak bytes of the values between inputs and outputs (inputs not counted).
 *
 * @param nodes The graph's nodes in the order in which they run, operands first; by default that of `graphNodes`, which
 * follows the order of the outputs: give the gradients of the last layers first, or all cotangents are kept to the end.
 * @throws ShapeError on a graph with symbols: bind it first.
 */
export function estimatePeakBytes(
  graph: Graph,
  nodes: readonly Node[] = graphNodes(graph),
  { outputs = "counted" }: PeakOptions = {},
): number {
  const readers = readersOf(nodes);
  const kept = new Set(Object.values(graph.outputs).map((value) => value.node));
  const storage = (node: Node): Node => {
    let owner = node;
    while (VIEWS.has(owner.op) && owner.inputs[0]) owner = owner.inputs[0].node;
    return owner;
  };
  const pending = new Map<Node, number>();
  for (const node of nodes) {
    const owner = storage(node);
    const count = readers.get(node)?.length ?? 0;
    pending.set(owner, (pending.get(owner) ?? 0) + count + (kept.has(node) ? Infinity : 0));
  }
  const given = new Set(outputs === "elsewhere" ? [...kept].map(storage) : []);
  const isCounted = (node: Node): boolean => !isLeafInput(node) && !given.has(node);
  let alive = 0;
  let peak = 0;
  for (const node of nodes) {
    if (isCounted(node) && storage(node) === node) alive += nodeBytes(node);
    peak = Math.max(peak, alive);
    for (const operand of new Set(node.inputs.map((value) => value.node))) {
      const owner = storage(operand);
      const left = (pending.get(owner) ?? 0) - 1;
      pending.set(owner, left);
      if (left === 0 && isCounted(owner)) alive -= nodeBytes(owner);
    }
  }
  return peak;
}
