/**
 * Scales of channels behind a convolution go into its filter where both are the same in every run, as a batch norm's are
 * in evaluation: a pass over the pictures less for each. The filter's product is then computed once, by the plan.
 */
import { graphNodes, inputName, isLeafInput, mul, reshape, shapeOf } from "@diptych/core";
import type { Graph, Node, Value } from "@diptych/core";
import { rebuildNode, rewriteGraph, type Pass } from "@diptych/core/backend";

/** A product of a convolution and a scale of its channels, in the operands' places. */
interface ScaledConvolution {
  readonly convolution: 0 | 1;
  readonly scale: 0 | 1;
}

/** @param known Names of the inputs that are the same in every run. */
export function foldScales(known: ReadonlySet<string>): Pass {
  return { name: "foldScales", run: (graph) => withoutScales(graph, known) };
}

function withoutScales(graph: Graph, known: ReadonlySet<string>): Graph {
  if (known.size === 0) return graph;
  const fixed = fixedNodes(graph, known);
  const uses = countUses(graph);
  return rewriteGraph(graph, (node, inputs) => {
    const found = findScale(node, fixed, uses);
    const convolution = found && inputs[found.convolution]?.node;
    const scale = found && inputs[found.scale];
    const [x, filter] = convolution?.inputs ?? [];
    if (!convolution || !scale || !x || !filter) return undefined;
    const [channels = 1] = shapeOf(filter);
    const scaled = mul(filter, reshape(scale, [channels, 1, 1, 1]));
    return rebuildNode(convolution, [x, scaled]);
  });
}

/** Nodes that depend on nothing that is fed. */
function fixedNodes(graph: Graph, known: ReadonlySet<string>): ReadonlySet<Node> {
  const fixed = new Set<Node>();
  for (const node of graphNodes(graph)) {
    const given = isLeafInput(node) ? known.has(inputName(node)) : node.op !== "dimSize";
    if (given && node.inputs.every((value) => fixed.has(value.node))) fixed.add(node);
  }
  return fixed;
}

function countUses(graph: Graph): ReadonlyMap<Node, number> {
  const uses = new Map<Node, number>();
  const add = ({ node }: Value): void => void uses.set(node, (uses.get(node) ?? 0) + 1);
  for (const node of graphNodes(graph)) node.inputs.forEach(add);
  Object.values(graph.outputs).forEach(add);
  return uses;
}

function findScale(
  { op, inputs }: Node,
  fixed: ReadonlySet<Node>,
  uses: ReadonlyMap<Node, number>,
): ScaledConvolution | undefined {
  const [a, b] = inputs;
  if (op !== "mul" || !a || !b) return undefined;
  const fits = (y: Value, scale: Value): boolean =>
    y.node.op === "conv2d" &&
    uses.get(y.node) === 1 &&
    fixed.has(scale.node) &&
    y.node.inputs.slice(1).every((filter) => fixed.has(filter.node)) &&
    isOfChannels(scale, y);
  if (fits(a, b)) return { convolution: 0, scale: 1 };
  return fits(b, a) ? { convolution: 1, scale: 0 } : undefined;
}

/** Whether `scale` is one number for each channel of the picture `y`. */
function isOfChannels(scale: Value, y: Value): boolean {
  const axis = y.node.attrs["layout"] === "NHWC" ? 3 : 1;
  const shape = shapeOf(scale);
  const aligned = [...new Array<number>(Math.max(4 - shape.length, 0)).fill(1), ...shape];
  const channels = shapeOf(y)[axis];
  return aligned.length === 4 && aligned.every((size, i) => size === (i === axis ? channels : 1));
}
