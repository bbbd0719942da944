/**
 * mixedPrecision: runs contractions in 16 bits and what needs range in 32, as PyTorch's autocast does. It works on the
 * forward graph, before autodiff: parameters stay float32 and are cast where they are used, so that their gradients are
 * float32 as well.
 */
import type { Graph } from "../graph/graph.js";
import { dtypeOf, type Node, type Value } from "../graph/node.js";
import { atOrigin } from "../graph/origin.js";
import { rewriteValues } from "../graph/traverse.js";
import { createGraph } from "../graph/graph.js";
import type { CompositeName } from "../ops/composite-table.js";
import type { PrimitiveName } from "../ops/primitive-table.js";
import { cast } from "../ops/primitives/elementwise.js";
import { isFloat, type DType } from "../tensor/dtype.js";
import type { Pass } from "./pass.js";
import { rebuildNode } from "./rebuild.js";

type OpName = PrimitiveName | CompositeName;

/** Ops by what they want, after PyTorch's autocast op reference. The others follow the widest operand. */
export interface PrecisionPolicy {
  readonly low: "float16" | "bfloat16";
  /** Computed in 16 bits. */
  readonly lowOps: ReadonlySet<OpName>;
  /** Computed in float32. */
  readonly highOps: ReadonlySet<OpName>;
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

export function createPrecisionPolicy(low: "float16" | "bfloat16"): PrecisionPolicy {
  return Object.freeze({ low, lowOps: new Set(LOW_OPS), highOps: new Set(HIGH_OPS) });
}

function wantedDtype(node: Node, inputs: readonly Value[], policy: PrecisionPolicy): DType {
  if (policy.lowOps.has(node.op as OpName)) return policy.low;
  if (policy.highOps.has(node.op as OpName)) return "float32";
  return inputs.some((value) => dtypeOf(value) === "float32") ? "float32" : policy.low;
}

/** The graph under a policy; its outputs keep their dtypes. */
export function applyPrecision(graph: Graph, policy: PrecisionPolicy): Graph {
  const outputs = Object.entries(graph.outputs);
  const lookup = rewriteValues(
    [...graph.inputs, ...outputs.map(([, value]) => value)],
    (node, inputs) => {
      const floats = inputs.filter((value) => isFloat(dtypeOf(value)));
      if (floats.length === 0 || node.op === "cast") {
        return node.op === "cast" ? rebuildNode(node, inputs) : undefined;
      }
      const wanted = wantedDtype(node, floats, policy);
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

export const mixedPrecision = (policy: PrecisionPolicy): Pass => ({
  name: "mixedPrecision",
  run: (graph) => applyPrecision(graph, policy),
});
