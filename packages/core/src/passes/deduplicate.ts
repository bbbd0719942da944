/** deduplicate: merges nodes of equal op, attributes and operands within one recompute group. Building never merges. */
import type { Graph } from "../graph/graph.js";
import { isLeafInput } from "../graph/graph.js";
import { nodeValues } from "../graph/builder.js";
import type { AttrValue, Node, Value } from "../graph/node.js";
import { rewriteGraph, withInputs } from "../graph/traverse.js";
import type { HostTensor } from "../tensor/host-tensor.js";
import type { Pass } from "./pass.js";

/** Constants up to this many entries are compared by content; larger ones by identity. */
const COMPARED_ENTRIES = 4096;

function isTensor(value: AttrValue): value is HostTensor {
  return typeof value === "object" && "data" in value;
}

/** A text that is equal for equal attributes. */
export function attrsKey(node: Node, identity: (value: object) => number): string {
  const show = (value: AttrValue): string => {
    if (Array.isArray(value)) return `[${(value as readonly AttrValue[]).map(show).join(",")}]`;
    if (typeof value !== "object") return Object.is(value, -0) ? "-0" : String(value);
    if (isTensor(value)) {
      if (value.data.length > COMPARED_ENTRIES) return `#${identity(value)}`;
      const entries = Array.from(value.data, (x) => (Object.is(x, -0) ? "-0" : String(x)));
      return `${value.dtype}[${value.shape.join(",")}](${entries.join(",")})`;
    }
    return "key" in value ? value.key : JSON.stringify(value);
  };
  return Object.entries(node.attrs)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${show(value)}`)
    .join(";");
}

export function deduplicateGraph(graph: Graph): Graph {
  const identities = new Map<object, number>();
  const identity = (value: object): number => {
    const known = identities.get(value) ?? identities.size;
    identities.set(value, known);
    return known;
  };
  const seen = new Map<string, readonly Value[]>();
  return rewriteGraph(graph, (node, inputs) => {
    if (isLeafInput(node)) return nodeValues(node);
    const operands = inputs.map((value) => `${identity(value.node)}.${value.index}`).join(",");
    const key = `${node.op}(${operands})${attrsKey(node, identity)}@${node.recompute}`;
    const values = seen.get(key) ?? withInputs(node, inputs);
    seen.set(key, values);
    return values;
  });
}

export const deduplicate: Pass = { name: "deduplicate", run: deduplicateGraph };
