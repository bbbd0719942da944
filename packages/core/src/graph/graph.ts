/** A graph: the inputs it is fed by name and the outputs it gives by name; everything between is reached from the outputs. */
import { InternalError, ShapeError } from "../errors.js";
import { nodeValues } from "./builder.js";
import type { Node, Value } from "./node.js";
import { nodesInOrder } from "./traverse.js";

export interface Graph {
  readonly name: string;
  /** Input and parameter nodes in feeding order; their names are distinct. */
  readonly inputs: readonly Value[];
  readonly outputs: Readonly<Record<string, Value>>;
}

/** Name under which an `input` or `parameter` node is fed. */
export function inputName(node: Node): string {
  const name = node.attrs["name"];
  if (typeof name === "string") return name;
  throw new InternalError(`core/inputName: expected an input or parameter, got ${node.op}.`);
}

export function isLeafInput(node: Node): boolean {
  return node.op === "input" || node.op === "parameter";
}

/**
 * A graph from its outputs. Its inputs are those given by `inputs`, or, without it, those that the outputs reach.
 * @throws ShapeError on two inputs of one name, an input that is none, an output that reaches an input left out, or one
 * that its node does not have.
 */
export function createGraph(
  name: string,
  outputs: Readonly<Record<string, Value>>,
  inputs?: readonly Value[],
): Graph {
  const reached = nodesInOrder(Object.values(outputs)).filter(isLeafInput);
  const listed = inputs ? [...new Set(inputs)] : reached.flatMap(nodeValues);
  for (const [output, { node, index }] of Object.entries(outputs)) {
    if (node.outputs[index]) continue;
    throw new ShapeError(
      `core/createGraph: outputs: expected an existing value for "${output}", got output ${index} of ${node.op}, which has ${node.outputs.length} (graph ${name}).`,
    );
  }
  const byName = new Map<string, Node>();
  for (const { node } of listed) {
    if (!isLeafInput(node)) {
      throw new ShapeError(
        `core/createGraph: inputs: expected input and parameter nodes, got ${node.op} (graph ${name}). List what is fed.`,
      );
    }
    const key = inputName(node);
    if (byName.has(key) && byName.get(key) !== node) {
      throw new ShapeError(
        `core/createGraph: inputs: expected distinct names, got "${key}" twice (graph ${name}). Build each input once and share it.`,
      );
    }
    byName.set(key, node);
  }
  for (const node of reached) {
    if (byName.get(inputName(node)) !== node) {
      throw new ShapeError(
        `core/createGraph: inputs: expected every input that an output reaches, got none for "${inputName(node)}" (graph ${name}). List it.`,
      );
    }
  }
  return Object.freeze({
    name,
    inputs: Object.freeze([...listed]),
    outputs: Object.freeze({ ...outputs }),
  });
}

/** All nodes of a graph, operands before their readers. Unused inputs are included. */
export function graphNodes(graph: Graph): readonly Node[] {
  return nodesInOrder([...graph.inputs, ...Object.values(graph.outputs)]);
}
