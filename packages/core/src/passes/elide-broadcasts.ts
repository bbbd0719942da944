/** Removes broadcasts that only feed an elementwise op which stretches its operands itself: a pass over memory each. */
import type { Graph } from "../graph/graph.js";
import { shapeOf, type Node, type Value } from "../graph/node.js";
import { rewriteGraph, withInputs } from "../graph/traverse.js";
import { broadcastShapes } from "../tensor/broadcast.js";
import { equalShapes } from "../tensor/shape.js";
import type { Pass } from "./pass.js";

const STRETCHING: ReadonlySet<string> = new Set([
  "add",
  "sub",
  "mul",
  "div",
  "max",
  "compare",
  "and",
  "or",
  "select",
]);

function shapeOfResult(inputs: readonly Value[]): ReturnType<typeof shapeOf> {
  return inputs.map(shapeOf).reduce((a, b) => broadcastShapes("core/elideBroadcasts", a, b));
}

/** The operands with as many of them unstretched as leaves the result's shape as it is. */
function unstretched(node: Node, inputs: readonly Value[]): readonly Value[] {
  const shape = node.outputs[0]?.shape ?? [];
  return inputs.reduce<readonly Value[]>((current, value, i) => {
    const [source] = value.node.inputs;
    if (value.node.op !== "broadcast" || !source) return current;
    const candidate = current.map((operand, at) => (at === i ? source : operand));
    return equalShapes(shapeOfResult(candidate), shape) ? candidate : current;
  }, inputs);
}

export function withoutBroadcasts(graph: Graph): Graph {
  return rewriteGraph(graph, (node, inputs) =>
    STRETCHING.has(node.op) ? withInputs(node, unstretched(node, inputs)) : undefined,
  );
}

export const elideBroadcasts: Pass = { name: "elideBroadcasts", run: withoutBroadcasts };
