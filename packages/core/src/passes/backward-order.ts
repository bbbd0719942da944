/**
 * An order of the backward part in which whatever a recomputed value should wait for comes first. Nodes can only refer to
 * nodes that exist, so a wait for something that came before never closes a cycle.
 */
import { isLeafInput } from "../graph/graph.js";
import type { Node, Value } from "../graph/node.js";
import { nodesInOrder } from "../graph/traverse.js";

/** A node on the way, the operands still to come, and what its recomputed values may wait for. */
interface Step {
  readonly node: Node;
  readonly operands: readonly Value[];
  next: number;
  readonly context: Value | undefined;
}

/**
 * Visits every backward node that `outputs` reach, operands first.
 *
 * A backward node *reaches* the last forward node that it reads, itself or through backward operands: cotangents reach
 * the end of the forward part, factors made of one layer's values alone reach that layer. What is recomputed of forward
 * node n waits for a backward value that reaches beyond n, of the reader itself or, where it has none, of the node that
 * the reader's result is multiplied into.
 *
 * @param places Forward nodes with their places in dependency order.
 * @param visit Gets, beside the node, the backward value to wait for when forward node `place` is recomputed for it;
 * undefined when there is none but the end of the forward part.
 */
export function orderBackward(
  outputs: readonly Value[],
  places: ReadonlyMap<Node, number>,
  visit: (node: Node, waitFor: (place: number) => Value | undefined) => void,
): void {
  const reach = reachOf(outputs, places);
  const reachesOf = (value: Value | undefined): number =>
    value ? (reach.get(value.node) ?? -1) : -1;
  const step = (node: Node, context: Value | undefined): Step => ({
    node,
    // The farthest first: what others wait for must exist before them.
    operands: node.inputs
      .filter((value) => reach.has(value.node))
      .toSorted((a, b) => reachesOf(b) - reachesOf(a)),
    next: 0,
    context,
  });
  const done = new Set<Node>();
  for (const { node: root } of outputs) {
    if (!reach.has(root) || done.has(root)) continue;
    const stack = [step(root, undefined)];
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const { node, operands, context } = top;
      const [farthest] = operands;
      const operand = operands[top.next++];
      if (operand) {
        if (done.has(operand.node)) continue;
        const known = farthest && done.has(farthest.node);
        const later = known && reachesOf(farthest) > reachesOf(operand);
        stack.push(step(operand.node, later ? farthest : context));
        continue;
      }
      stack.pop();
      done.add(node);
      visit(node, (place) => (reachesOf(farthest) > place ? farthest : context));
    }
  }
}

/** The place of the last forward node that each backward node reads, −1 for none. */
function reachOf(
  outputs: readonly Value[],
  places: ReadonlyMap<Node, number>,
): ReadonlyMap<Node, number> {
  const reach = new Map<Node, number>();
  for (const node of nodesInOrder(outputs, new Set(places.keys()))) {
    if (isLeafInput(node)) continue;
    const read = node.inputs
      .map((value) => value.node)
      // Leaves are there from the start: reading one says nothing of when.
      .map((read) => reach.get(read) ?? (read.inputs.length > 0 ? places.get(read)! : -1));
    reach.set(node, Math.max(-1, ...read));
  }
  return reach;
}
