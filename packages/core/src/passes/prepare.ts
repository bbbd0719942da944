/** The passes that every backend runs before it lowers a graph, in their order. */
import type { BackendCapabilities } from "../contracts/backend.js";
import type { Graph } from "../graph/graph.js";
import { deduplicate } from "./deduplicate.js";
import { imageLayout } from "./image-layout.js";
import { legalize } from "./legalize.js";
import { runPasses } from "./pass.js";
import { simplify } from "./simplify.js";

/**
 * A graph of what the backend can lower, in the image layout that it wants, simplified and without duplicates. Inputs and
 * outputs keep their names and types.
 */
export function prepareForBackend(
  graph: Graph,
  capabilities: BackendCapabilities,
  backend: string,
): Graph {
  return runPasses(graph, [
    legalize(capabilities, backend),
    simplify,
    deduplicate,
    ...(capabilities.imageLayout === "NHWC" ? [imageLayout("NHWC"), simplify, deduplicate] : []),
  ]);
}
