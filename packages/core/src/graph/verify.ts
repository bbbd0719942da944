/** Verification: every node's types are what its shape rule says now. Runs after each pass, so that a broken rewrite is found where it happened. */
import { InternalError } from "../errors.js";
import { opDef } from "../ops/op-table.js";
import { formatShape, equalShapes } from "../tensor/shape.js";
import { graphNodes, inputName, isLeafInput, type Graph } from "./graph.js";
import { typeOf, type Node, type ValueType } from "./node.js";

/** @throws InternalError naming the node, its origin and `when` it was found. */
export function verifyGraph(graph: Graph, when = "verifyGraph"): void {
  const listed = new Set(graph.inputs.map((value) => value.node));
  for (const node of graphNodes(graph)) {
    if (isLeafInput(node) && !listed.has(node)) {
      throw broken(graph, node, when, `input "${inputName(node)}" is not listed`);
    }
    let inferred: readonly ValueType[];
    try {
      inferred = opDef(node.op).infer(node.inputs.map(typeOf), node.attrs);
    } catch (error) {
      throw broken(graph, node, when, error instanceof Error ? error.message : String(error));
    }
    const same =
      inferred.length === node.outputs.length &&
      inferred.every(({ shape, dtype }: ValueType, i: number) => {
        const output = node.outputs[i];
        return output && dtype === output.dtype && equalShapes(shape, output.shape);
      });
    if (!same) {
      const show = (types: Node["outputs"]): string =>
        types.map((t) => `${t.dtype}${formatShape(t.shape)}`).join(", ");
      throw broken(graph, node, when, `expected ${show(inferred)}, got ${show(node.outputs)}`);
    }
  }
}

function broken(graph: Graph, node: Node, when: string, what: string): InternalError {
  return new InternalError(
    `core/${when}: graph ${graph.name}: ${node.op} at "${node.origin}": ${what}.`,
  );
}
