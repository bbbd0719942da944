/** bind: replaces symbols by numbers, so that memory can be planned once and sizes become constants. */
import type { Graph } from "../graph/graph.js";
import type { Attrs, AttrValue, Node, Value } from "../graph/node.js";
import { atOrigin } from "../graph/origin.js";
import { rewriteGraph } from "../graph/traverse.js";
import { constant } from "../ops/primitives/leaves.js";
import { bindDim, type Dim, type DimBinding, type SymbolicDim } from "../tensor/dim.js";
import { createHostTensor, scalarHost } from "../tensor/host-tensor.js";
import type { Pass } from "./pass.js";
import { rebuildNode } from "./rebuild.js";

function isDimObject(value: unknown): value is SymbolicDim {
  return typeof value === "object" && value !== null && "terms" in value && "key" in value;
}

function bindAttr(value: AttrValue, binding: DimBinding): AttrValue {
  if (isDimObject(value)) return bindDim(value, binding);
  if (Array.isArray(value) && value.some(isDimObject)) {
    const dims = value as readonly Dim[];
    const bound = dims.map((dim) => bindDim(dim, binding));
    return bound.every((dim, i) => dim === dims[i]) ? value : Object.freeze(bound);
  }
  return value;
}

/** `dimSize` and `iota` of a number are constants. */
function sizeConstant(node: Node, attrs: Attrs): Value | undefined {
  const dim = attrs["dim"];
  if (typeof dim !== "number") return undefined;
  if (node.op === "dimSize") return constant(scalarHost("int32", dim));
  if (node.op === "iota") {
    return constant(
      createHostTensor(
        "int32",
        [dim],
        Int32Array.from({ length: dim }, (_, i) => i),
      ),
    );
  }
  return undefined;
}

/** The graph with the symbols of `binding` replaced; symbols it does not name stay. */
export function bindGraph(graph: Graph, binding: DimBinding): Graph {
  return rewriteGraph(graph, (node, inputs) => {
    const attrs = Object.fromEntries(
      Object.entries(node.attrs).map(([key, value]) => [key, bindAttr(value, binding)]),
    );
    const size = atOrigin(node.origin, node.recompute, () => sizeConstant(node, attrs));
    if (size) return [size];
    const unchanged =
      inputs.every((value, i) => value === node.inputs[i]) &&
      Object.entries(attrs).every(([key, value]) => value === node.attrs[key]);
    return unchanged ? undefined : rebuildNode(node, inputs, attrs);
  });
}

export const bind = (binding: DimBinding): Pass => ({
  name: "bind",
  run: (graph) => bindGraph(graph, binding),
});
