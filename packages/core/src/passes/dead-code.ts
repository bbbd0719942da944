/**
 * deadCode: keeps the named outputs and drops the inputs that none of them needs. An input may be needed for its shape
 * alone: when no other shows the size of a symbol. Inner nodes that nothing reads are never part of a graph.
 */
import { ShapeError } from "../errors.js";
import { createGraph, isLeafInput, type Graph } from "../graph/graph.js";
import { shapeOf, type AttrValue, type Node, type Value } from "../graph/node.js";
import { nodesInOrder } from "../graph/traverse.js";
import { suggestName } from "../plugin/nearest-name.js";
import { dimSymbols, type Dim } from "../tensor/dim.js";
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
  const nodes = nodesInOrder(Object.values(outputs));
  const kept = new Set(nodes.filter(isLeafInput));
  const unknown = new Set(nodes.flatMap(symbolsOf));
  const settle = (value: Value): void =>
    shapeOf(value)
      .flatMap(dimSymbols)
      .forEach((symbol) => unknown.delete(symbol));
  graph.inputs.filter((value) => kept.has(value.node)).forEach(settle);
  for (const value of graph.inputs) {
    if (
      !shapeOf(value)
        .flatMap(dimSymbols)
        .some((symbol) => unknown.has(symbol))
    )
      continue;
    kept.add(value.node);
    settle(value);
  }
  return createGraph(
    graph.name,
    outputs,
    graph.inputs.filter((value) => kept.has(value.node)),
  );
}

/** Symbols whose sizes a node needs: of its results, and of what its attributes say. */
function symbolsOf(node: Node): readonly string[] {
  const given = Object.values(node.attrs).flatMap((value) =>
    Array.isArray(value) ? (value as readonly AttrValue[]) : [value],
  );
  return [...node.outputs.flatMap(({ shape }) => shape), ...given.filter(isDim)].flatMap(
    dimSymbols,
  );
}

function isDim(value: AttrValue): value is Dim {
  return typeof value === "number" || (typeof value === "object" && "terms" in value);
}

export const deadCode = (outputs?: readonly string[]): Pass => ({
  name: "deadCode",
  run: (graph) => keepOutputs(graph, outputs),
});
