/** A graph as text, one node a line, for people, tests and bug reports. */
import { formatShape } from "../tensor/shape.js";
import { decodeElement, type HostTensor } from "../tensor/host-tensor.js";
import { graphNodes, type Graph } from "./graph.js";
import type { AttrValue, Node, Value } from "./node.js";

function printAttr(value: AttrValue): string {
  if (Array.isArray(value)) return `[${(value as readonly AttrValue[]).map(printAttr).join(", ")}]`;
  if (typeof value !== "object") return String(value);
  if ("key" in value) return value.key;
  if ("data" in value) return printTensor(value);
  return JSON.stringify(value);
}

function printTensor({ dtype, shape, data }: HostTensor): string {
  const shown = Array.from(data.subarray(0, 4), (entry) => decodeElement(dtype, entry)).join(", ");
  return `${dtype}[${shape.join(", ")}](${shown}${data.length > 4 ? ", ..." : ""})`;
}

/** One line per node: `%3 = add(%1, %2) : float32[batch, 8]  // visual/mlp`. */
export function printGraph(graph: Graph): string {
  const names = new Map<Node, string>();
  const nameOf = ({ node, index }: Value): string =>
    node.outputs.length > 1 ? `${names.get(node) ?? "?"}.${index}` : (names.get(node) ?? "?");
  const lines = graphNodes(graph).map((node, i) => {
    names.set(node, `%${i}`);
    const operands = [
      ...node.inputs.map(nameOf),
      ...Object.entries(node.attrs)
        .filter(([key]) => !((node.op === "input" || node.op === "parameter") && key !== "name"))
        .map(([key, value]) => `${key}=${printAttr(value)}`),
    ];
    const types = node.outputs
      .map(({ dtype, shape }) => `${dtype}${formatShape(shape)}`)
      .join(", ");
    const where = [node.origin, node.recompute && `recompute ${node.recompute}`]
      .filter(Boolean)
      .join(" ");
    return `  %${i} = ${node.op}(${operands.join(", ")}) : ${types}${where === "" ? "" : `  // ${where}`}`;
  });
  const outputs = Object.entries(graph.outputs).map(
    ([name, value]) => `  return ${name} = ${nameOf(value)}`,
  );
  return [`graph ${graph.name} {`, ...lines, ...outputs, "}"].join("\n");
}
