/**
 * rematerialise: computes cheap forward values again in the backward part, so that they need not be kept between the two.
 * The copies belong to a recompute group (deduplicate leaves them apart) and wait, through `after`, for a cotangent that
 * is known only when they are needed: a runtime cannot compute them early and keep them all the same.
 */
import type { Graph } from "../graph/graph.js";
import { createGraph } from "../graph/graph.js";
import type { Node, Value } from "../graph/node.js";
import { atOrigin } from "../graph/origin.js";
import { withInputs } from "../graph/traverse.js";
import { after } from "../ops/primitives/elementwise.js";
import type { DimBinding } from "../tensor/dim.js";
import { orderBackward } from "./backward-order.js";
import type { Pass } from "./pass.js";
import { rebuildNode } from "./rebuild.js";
import { nominalBytes, planRecomputation, type RecomputePlan } from "./recompute-plan.js";

/** Ops whose recomputation costs about one pass over memory: never a contraction, nor a reduction to something small. */
const CHEAP: ReadonlySet<string> = new Set([
  ...["add", "sub", "mul", "div", "max", "neg", "abs", "exp", "log", "log1p", "sqrt", "tanh"],
  ...["sigmoid", "erf", "compare", "and", "or", "not", "select", "cast", "stopGradient"],
  ...["reshape", "transpose", "broadcast", "slice", "pad", "concat", "take", "takeAlong"],
  ...["relu", "gelu", "geluTanh", "quickGelu", "softplus", "clamp"],
  ...["softmax", "logSoftmax", "layerNorm", "batchNorm", "l2Normalize"],
]);

/** Group of the copies. */
const GROUP = "backward";

export interface RematerialiseOptions {
  /** The forward values that the backward part was made from: the loss first, then metrics and buffers. Everything below them is forward. */
  readonly forward: readonly Value[];
  /** Which forward nodes may be computed again; by default ops of about one pass over memory. */
  readonly recompute?: (node: Node) => boolean;
  /** Sizes of symbols, to weigh values by; others count as equal. */
  readonly sizes?: DimBinding;
}

/**
 * The graph with forward values recomputed where the backward part reads them, so that the fewest bytes are kept. Each
 * forward node is computed at most once more. Contractions never are; the graph's results are bit for bit the same.
 */
export function rematerialiseGraph(graph: Graph, options: RematerialiseOptions): Graph {
  const { forward, recompute = (node: Node) => CHEAP.has(node.op), sizes = {} } = options;
  const [loss] = forward;
  if (!loss) return graph;
  const plan = planRecomputation(graph, { forward, recompute, sizes });
  if (plan.recomputed.size === 0) return graph;
  const outputs = Object.entries(graph.outputs);
  const rewritten = new Map<Node, readonly Value[]>();
  const lookup = (value: Value): Value => rewritten.get(value.node)?.[value.index] ?? value;
  const copyOf = createCopies(plan, sizes);
  const rewrite = (node: Node, waitFor: (place: number) => Value | undefined): void => {
    const inputs = node.inputs.map((value) =>
      plan.recomputed.has(value.node)
        ? copyOf(value, lookup(waitFor(plan.forward.get(value.node)!) ?? loss))
        : lookup(value),
    );
    rewritten.set(node, withInputs(node, inputs));
  };
  orderBackward(
    outputs.map(([, value]) => value),
    plan.forward,
    rewrite,
  );
  return createGraph(
    graph.name,
    Object.fromEntries(outputs.map(([name, value]) => [name, lookup(value)])),
    graph.inputs,
  );
}

/** The recomputed copy of a forward value: one per node, made for its first reader and waiting for what that one waits for. */
function createCopies(
  { recomputed }: RecomputePlan,
  sizes: DimBinding,
): (value: Value, dependency: Value) => Value {
  const copies = new Map<Node, readonly Value[]>();
  const copied = (value: Value): Value => copies.get(value.node)?.[value.index] ?? value;
  const build = (node: Node, dependency: Value): readonly Value[] =>
    atOrigin(node.origin, GROUP, () => {
      const inputs = node.inputs.map(copied);
      const waits = inputs.some((value, i) => value !== node.inputs[i]);
      // One operand that waits keeps the whole node waiting; the smallest, should waiting cost a copy.
      const smallest = inputs.toSorted(
        (a, b) => nominalBytes(a, sizes) - nominalBytes(b, sizes),
      )[0];
      const operands = inputs.map((value) =>
        !waits && value === smallest ? after(value, dependency) : value,
      );
      return rebuildNode({ ...node, recompute: GROUP }, operands);
    });
  return (value, dependency) => {
    const stack = [value.node];
    for (let node = stack.at(-1); node; node = stack.at(-1)) {
      const missing = node.inputs
        .map((operand) => operand.node)
        .filter((operand) => recomputed.has(operand) && !copies.has(operand));
      if (missing.length > 0) stack.push(...missing);
      else {
        if (!copies.has(node)) copies.set(node, build(node, dependency));
        stack.pop();
      }
    }
    return copied(value);
  };
}

export const rematerialise = (options: RematerialiseOptions): Pass => ({
  name: "rematerialise",
  run: (graph) => rematerialiseGraph(graph, options),
});
