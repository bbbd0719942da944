/** Passes: small named rewrites of a graph, each followed by verification. */
import type { Graph } from "../graph/graph.js";
import { verifyGraph } from "../graph/verify.js";

export interface Pass {
  readonly name: string;
  readonly run: (graph: Graph) => Graph;
}

/** Runs passes in order and verifies the graph after each. @throws InternalError naming the pass that broke it. */
export function runPasses(graph: Graph, passes: readonly Pass[]): Graph {
  return passes.reduce((current, pass) => {
    const next = pass.run(current);
    verifyGraph(next, `pass ${pass.name}`);
    return next;
  }, graph);
}
