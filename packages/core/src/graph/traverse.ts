/** Walking and rewriting: nodes in dependency order (without recursion: graphs are deep) and the one function behind every pass. */
import { InternalError } from "../errors.js";
import { nodeValues } from "./builder.js";
import { createGraph, type Graph } from "./graph.js";
import type { Node, Value } from "./node.js";

const NONE: ReadonlySet<Node> = new Set();

/** Every node that `values` reach, operands first, each once, in a deterministic order; `stop` and what is below it is left out. */
export function nodesInOrder(
  values: readonly Value[],
  stop: ReadonlySet<Node> = NONE,
): readonly Node[] {
  const order: Node[] = [];
  const done = new Set<Node>(stop);
  const stack: { node: Node; next: number }[] = [];
  for (const { node: root } of values) {
    if (done.has(root)) continue;
    stack.push({ node: root, next: 0 });
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const operand = top.node.inputs[top.next++]?.node;
      if (operand) {
        if (!done.has(operand)) stack.push({ node: operand, next: 0 });
        continue;
      }
      stack.pop();
      if (!done.has(top.node)) {
        done.add(top.node);
        order.push(top.node);
      }
    }
  }
  return order;
}

/** Readers of each node, in dependency order. */
export function readersOf(nodes: readonly Node[]): ReadonlyMap<Node, readonly Node[]> {
  const readers = new Map<Node, Node[]>(nodes.map((node) => [node, []]));
  for (const node of nodes) {
    for (const operand of new Set(node.inputs.map((value) => value.node)))
      readers.get(operand)?.push(node);
  }
  return readers;
}

/** Replacement of a node's outputs; undefined keeps the node (rebuilt over its new operands when they changed). */
export type RewriteRule = (node: Node, inputs: readonly Value[]) => readonly Value[] | undefined;

/**
 * Rewrites what `values` reach, operands first; returns a function from old values to new ones.
 * Nodes in `stop` are final: they and what is below them stay.
 */
export function rewriteValues(
  values: readonly Value[],
  rule: RewriteRule,
  stop: ReadonlySet<Node> = NONE,
): (value: Value) => Value {
  const replaced = new Map<Node, readonly Value[]>();
  const lookup = (value: Value): Value => {
    if (stop.has(value.node)) return value;
    const found = replaced.get(value.node)?.[value.index];
    if (!found) {
      throw new InternalError(
        `core/rewriteValues: no replacement of output ${value.index} of ${value.node.op}.`,
      );
    }
    return found;
  };
  for (const node of nodesInOrder(values, stop)) {
    const inputs = node.inputs.map(lookup);
    replaced.set(node, rule(node, inputs) ?? withInputs(node, inputs));
  }
  return lookup;
}

/** Rewrites a graph. Inputs must be replaced by inputs. */
export function rewriteGraph(graph: Graph, rule: RewriteRule): Graph {
  const lookup = rewriteValues([...graph.inputs, ...Object.values(graph.outputs)], rule);
  const outputs = Object.fromEntries(
    Object.entries(graph.outputs).map(([name, value]) => [name, lookup(value)]),
  );
  return createGraph(graph.name, outputs, graph.inputs.map(lookup));
}

/** The node over other operands of the same types; itself when nothing changed. */
export function withInputs(node: Node, inputs: readonly Value[]): readonly Value[] {
  if (inputs.every((value, i) => value === node.inputs[i])) return nodeValues(node);
  return nodeValues(Object.freeze({ ...node, inputs: Object.freeze([...inputs]) }));
}
