/** deadCode: keeps the named outputs and drops the inputs that none of them reaches. Inner nodes that nothing reads are never part of a graph. */
import { ShapeError } from "../errors.js";
import { createGraph, isLeafInput, type Graph } from "../graph/graph.js";
import { nodesInOrder } from "../graph/traverse.js";
import { suggestName } from "../plugin/nearest-name.js";
import type { Pass } from "./pass.js";

/** @throws ShapeError on an output that the graph does not have. */
export function keepOutputs(
  graph: Graph,
  names: readonly string[] = Object.keys(graph.outputs),
): Graph {
  const outputs = Object.fromEntries(
    names.map((name) => {
      const value = graph.outputs[name];
      if (!value) {
        throw new ShapeError(
          `core/keepOutputs: output: expected one of graph ${graph.name}, got "${name}". ${suggestName(name, Object.keys(graph.outputs))}`,
        );
      }
      return [name, value] as const;
    }),
  );
  const reached = new Set(nodesInOrder(Object.values(outputs)).filter(isLeafInput));
  return createGraph(
    graph.name,
    outputs,
    graph.inputs.filter((value) => reached.has(value.node)),
  );
}

export const deadCode = (outputs?: readonly string[]): Pass => ({
  name: "deadCode",
  run: (graph) => keepOutputs(graph, outputs),
});
