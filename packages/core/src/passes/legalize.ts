/** legalize: expands the composites that a backend has no kernel for, and refuses dtypes that it does not have. */
import type { BackendCapabilities } from "../contracts/backend.js";
import { UnsupportedOpError } from "../errors.js";
import type { Graph } from "../graph/graph.js";
import type { Node } from "../graph/node.js";
import { rewriteGraph } from "../graph/traverse.js";
import { expandComposite } from "../ops/expand-composite.js";
import type { Pass } from "./pass.js";

/** Replaces composites that `keep` refuses by their decompositions, also inside decompositions. */
export function expandComposites(graph: Graph, keep: (op: string, node: Node) => boolean): Graph {
  return rewriteGraph(graph, (node, inputs) => expandComposite(node, inputs, keep));
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
