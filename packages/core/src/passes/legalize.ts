/** legalize: expands the composites that a backend has no kernel for, and refuses dtypes that it does not have. */
import type { BackendCapabilities } from "../contracts/backend.js";
import { UnsupportedOpError } from "../errors.js";
import type { Graph } from "../graph/graph.js";
import type { Node, Value } from "../graph/node.js";
import { atOrigin } from "../graph/origin.js";
import { rewriteGraph, rewriteValues } from "../graph/traverse.js";
import { opDef } from "../ops/op-table.js";
import type { Pass } from "./pass.js";

/** Replaces composites that `keep` refuses by their decompositions, also inside decompositions. */
export function expandComposites(graph: Graph, keep: (op: string, node: Node) => boolean): Graph {
  return rewriteGraph(graph, (node, inputs) => expand(node, inputs, keep));
}

function expand(
  node: Node,
  inputs: readonly Value[],
  keep: (op: string, node: Node) => boolean,
): readonly Value[] | undefined {
  const def = opDef(node.op);
  if (def.kind === "primitive" || keep(node.op, node)) return undefined;
  const parts = atOrigin(node.origin, node.recompute, () => def.decompose(inputs, node.attrs));
  // The operands are final: only what the decomposition added is looked at again.
  const boundary = new Set(inputs.map((value) => value.node));
  return parts.map(
    rewriteValues(parts, (inner, operands) => expand(inner, operands, keep), boundary),
  );
}

export function legalizeGraph(
  graph: Graph,
  capabilities: BackendCapabilities,
  backend: string,
): Graph {
  const legal = expandComposites(graph, (op) => capabilities.nativeComposites.has(op));
  return rewriteGraph(legal, (node) => {
    for (const { dtype } of node.outputs) {
      if (!capabilities.dtypes.has(dtype)) {
        throw new UnsupportedOpError(
          `core/legalize: dtype: expected one that backend ${backend} has (${[...capabilities.dtypes].join(", ")}), got ${dtype} (${node.op} at "${node.origin}"). Choose another precision or backend.`,
        );
      }
    }
    return undefined;
  });
}

export const legalize = (capabilities: BackendCapabilities, backend = "this backend"): Pass => ({
  name: "legalize",
  run: (graph) => legalizeGraph(graph, capabilities, backend),
});
