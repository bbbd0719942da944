/**
 * mixedPrecision: runs contractions in 16 bits and what needs range in 32, as PyTorch's autocast does
 * (https://docs.pytorch.org/docs/stable/amp.html, autocast op reference). It works on the forward graph, before
 * autodiff: parameters stay float32 and are cast where they are used, so that their gradients are float32 as well.
 *
 * - Low ops (matmul, conv2d, attention) get 16-bit operands. Products that a loss makes of features stay in float32: they
 *   cost next to nothing beside the towers, and 16 bits would round similarities times a scale of 100 to halves.
 * - High ops (exp, log, sums and means, softmax, norms, reciprocals) get float32 operands and give float32.
 * - Every other op follows its widest operand. Parameters and scalar constants have no say in that beside other values:
 *   a bias does not widen what it is added to. (PyTorch says so of numbers only; its linear and conv2d take their bias
 *   in 16 bits, which here is an add of its own.) A scalar that 16 bits cannot hold, such as an epsilon below the
 *   smallest half, keeps its op in float32.
 * - Casts in the graph, and the types of its outputs, stay.
 *
 * float16 needs loss scaling (Micikevicius et al. 2018, arXiv 1710.03740, section 3.2); bfloat16 does not.
 */
import { createGraph, type Graph } from "../graph/graph.js";
import { dtypeOf, type Node, type Value } from "../graph/node.js";
import { atOrigin } from "../graph/origin.js";
import { nodesInOrder, rewriteValues } from "../graph/traverse.js";
import type { CompositeName } from "../ops/composite-table.js";
import type { PrimitiveName } from "../ops/primitive-table.js";
import { cast } from "../ops/primitives/elementwise.js";
import { isFloat, type DType } from "../tensor/dtype.js";
import { scalarHost, scalarValue, type HostTensor } from "../tensor/host-tensor.js";
import type { Pass } from "./pass.js";
import { rebuildNode } from "./rebuild.js";

type OpName = PrimitiveName | CompositeName;

/** Ops by what they want; the others follow their widest operand. */
export interface PrecisionPolicy {
  readonly low: "float16" | "bfloat16";
  /** Computed in 16 bits. */
  readonly lowOps: ReadonlySet<string>;
  /** Computed in float32. */
  readonly highOps: ReadonlySet<string>;
}

const LOW_OPS: readonly OpName[] = ["matmul", "conv2d", "attention"];
const HIGH_OPS: readonly OpName[] = [
  "exp",
  "log",
  "log1p",
  "sum",
  "mean",
  "softmax",
  "logSoftmax",
  "logSumExp",
  "softplus",
  "layerNorm",
  "batchNorm",
  "l2Normalize",
];

/** Ops that move a parameter's entries: what they give is still no more than a parameter. */
const MOVES: ReadonlySet<string> = new Set(["reshape", "transpose", "broadcast", "slice"]);

export function createPrecisionPolicy(low: "float16" | "bfloat16"): PrecisionPolicy {
  return Object.freeze({ low, lowOps: new Set(LOW_OPS), highOps: new Set(HIGH_OPS) });
}

/** Whether 16 bits hold a number as something like itself: not 0, not infinite where it was neither. */
function survives(value: number, low: DType): boolean {
  const rounded = scalarValue(scalarHost(low, value));
  return (rounded === 0) === (value === 0) && Number.isFinite(rounded) === Number.isFinite(value);
}

/** What a value is of, once moves of its entries are undone. */
function movedFrom({ node }: Value): Node {
  let source = node;
  while (MOVES.has(source.op) && source.inputs[0]) source = source.inputs[0].node;
  return source;
}

const isWeight = (value: Value): boolean => movedFrom(value).op === "parameter";

function scalarOf(value: Value): number | undefined {
  const { op, attrs } = movedFrom(value);
  const tensor = op === "constant" ? (attrs["value"] as HostTensor) : undefined;
  return tensor?.data.length === 1 ? scalarValue(tensor) : undefined;
}

/** Whether a value has no say in the precision of what reads it. */
function yields(value: Value, low: DType): boolean {
  const scalar = scalarOf(value);
  return isWeight(value) || (scalar !== undefined && survives(scalar, low));
}

/** 1/x and the like: of a small number 16 bits hold no reciprocal. */
const isReciprocal = ({ op, inputs: [numerator] }: Node): boolean =>
  op === "div" && numerator !== undefined && scalarOf(numerator) !== undefined;

interface WantedOptions {
  readonly policy: PrecisionPolicy;
  /** Whether the node is a loss's own. */
  readonly ofLoss: boolean;
}

function wantedDtype(
  node: Node,
  floats: readonly Value[],
  { policy, ofLoss }: WantedOptions,
): DType {
  if (policy.lowOps.has(node.op)) return ofLoss && !floats.some(isWeight) ? "float32" : policy.low;
  if (policy.highOps.has(node.op) || isReciprocal(node)) return "float32";
  const deciding = floats.filter((value) => !yields(value, policy.low));
  const narrow = deciding.length > 0 && deciding.every((value) => dtypeOf(value) !== "float32");
  return narrow ? policy.low : "float32";
}

export interface MixedPrecisionOptions {
  /**
   * What the towers give. Products beyond them whose operands are no weights, the similarities of a loss, stay in float32;
   * without it all products are in 16 bits.
   */
  readonly features?: readonly Value[];
}

/** The graph under a policy; its inputs and outputs keep their dtypes. */
export function applyPrecision(
  graph: Graph,
  policy: PrecisionPolicy,
  { features }: MixedPrecisionOptions = {},
): Graph {
  const outputs = Object.entries(graph.outputs);
  const towers = features && new Set(nodesInOrder(features));
  const lookup = rewriteValues(
    [...graph.inputs, ...outputs.map(([, value]) => value)],
    (node, inputs) => {
      const floats = inputs.filter((value) => isFloat(dtypeOf(value)));
      if (floats.length === 0) return undefined;
      // What a value waits for, and what is cast anyway, may have any type.
      if (node.op === "cast" || node.op === "after") return rebuildNode(node, inputs);
      const ofLoss = towers !== undefined && !towers.has(node);
      const wanted = wantedDtype(node, floats, { policy, ofLoss });
      return atOrigin(node.origin, node.recompute, () =>
        rebuildNode(
          node,
          inputs.map((value) => (isFloat(dtypeOf(value)) ? cast(value, wanted) : value)),
        ),
      );
    },
  );
  return createGraph(
    graph.name,
    Object.fromEntries(outputs.map(([name, value]) => [name, cast(lookup(value), dtypeOf(value))])),
    graph.inputs.map(lookup),
  );
}

export const mixedPrecision = (
  policy: PrecisionPolicy,
  options: MixedPrecisionOptions = {},
): Pass => ({
  name: "mixedPrecision",
  run: (graph) => applyPrecision(graph, policy, options),
});
