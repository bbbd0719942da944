/** Floating-point operations of a graph's products: what the field counts a model by. */
import { graphNodes, type Graph } from "../graph/graph.js";
import type { Node } from "../graph/node.js";
import { elementCount, staticShape, type Shape } from "../tensor/shape.js";
import { expandComposites } from "./legalize.js";

const sizes = (shape: Shape): readonly number[] => staticShape(shape, "core/countFlops");

/** Entries of an operand. */
function entries(node: Node, operand: number): number {
  const value = node.inputs[operand];
  const type = value?.node.outputs[value.index];
  return type ? elementCount(sizes(type.shape)) : 0;
}

function resultEntries(node: Node): number {
  return node.outputs.reduce((count, { shape }) => count + elementCount(sizes(shape)), 0);
}

/** Size of the axis that a matrix product sums over. */
function innerSize(node: Node): number {
  const left = node.inputs[0];
  const shape = left?.node.outputs[left.index]?.shape ?? [];
  return sizes(shape).at(node.attrs["transposeA"] === true ? -2 : -1) ?? 0;
}

/** Multiply-adds of a convolution or a gradient of it: each entry of the small picture meets a whole filter of its group. */
function convolutionTerms(picture: number, filter: number, outChannels: number): number {
  return outChannels === 0 ? 0 : (picture * filter) / outChannels;
}

function outChannelsOf(shape: Shape | undefined): number {
  return sizes(shape ?? [])[0] ?? 0;
}

function multiplyAdds(node: Node): number {
  const filterShape = node.inputs[1]?.node.outputs[node.inputs[1].index]?.shape;
  switch (node.op) {
    case "matmul":
      return resultEntries(node) * innerSize(node);
    case "conv2d":
      return convolutionTerms(resultEntries(node), entries(node, 1), outChannelsOf(filterShape));
    case "conv2dInputGradient":
      return convolutionTerms(entries(node, 0), entries(node, 1), outChannelsOf(filterShape));
    case "conv2dFilterGradient":
      return convolutionTerms(
        entries(node, 1),
        resultEntries(node),
        outChannelsOf(node.outputs[0]?.shape),
      );
    default:
      return 0;
  }
}

/** Those of one primitive, a multiply-add counted as two. @throws ShapeError on symbols. */
export function nodeFlops(node: Node): number {
  return 2 * multiplyAdds(node);
}

/**
 * Floating-point operations of all matrix products and convolutions, a multiply-add counted as two; those inside
 * composites (attention: query·keyᵀ and probabilities·value, masked pairs included) counted, everything else not.
 *
 * A training step is counted as three times its forward graph, as the field does (Kaplan et al. 2020, arXiv:2001.08361,
 * section 2.1; Chowdhery et al. 2022, arXiv:2204.02311, appendix B: recomputation does not count).
 *
 * @throws ShapeError on a graph with symbols: bind it first.
 *
 * @example
 * const x = input("x", [2, 3]);
 * countFlops(createGraph("product", { y: matmul(x, input("w", [3, 5])) })); // 2·2·3·5 = 60
 */
export function countFlops(graph: Graph): number {
  const primitive = expandComposites(graph, () => false);
  return graphNodes(primitive).reduce((flops, node) => flops + nodeFlops(node), 0);
}
