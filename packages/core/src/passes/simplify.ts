/**
 * simplify: removes arithmetic that changes nothing, folds small constants, and merges neighbouring layout ops.
 * Results stay bit for bit, but for the sign of zeros: x + 0 and x − (−0) become x, which may be −0 where the sum is 0.
 */
import type { Graph } from "../graph/graph.js";
import { dtypeOf, shapeOf, type Node, type Value } from "../graph/node.js";
import { atOrigin } from "../graph/origin.js";
import { rewriteGraph } from "../graph/traverse.js";
import { broadcast, reshape, transpose } from "../ops/primitives/layout.js";
import { constant } from "../ops/primitives/leaves.js";
import { isPrimitiveName, type PrimitiveName } from "../ops/primitive-table.js";
import { isFloat } from "../tensor/dtype.js";
import { hostTensorFrom, scalarValue, type HostTensor } from "../tensor/host-tensor.js";
import { equalShapes } from "../tensor/shape.js";
import type { Pass } from "./pass.js";

type Rule = (node: Node, inputs: readonly Value[]) => Value | undefined;

function constantOf(value: Value | undefined): HostTensor | undefined {
  return value?.node.op === "constant" ? (value.node.attrs["value"] as HostTensor) : undefined;
}

/** The number of a one-entry constant. */
function numberOf(value: Value | undefined): number | undefined {
  const tensor = constantOf(value);
  return tensor?.data.length === 1 ? scalarValue(tensor) : undefined;
}

/** x where the result has x's own shape. */
function keeps(node: Node, x: Value | undefined): Value | undefined {
  const [type] = node.outputs;
  return x && type && equalShapes(shapeOf(x), type.shape) ? x : undefined;
}

const FOLDED: Readonly<Record<string, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  max: Math.max,
};

/** Arithmetic on two scalar constants of float32 or int32, rounded as the dtype does. */
function foldScalars(node: Node, [a, b]: readonly Value[]): Value | undefined {
  const fold = FOLDED[node.op];
  const left = numberOf(a);
  const right = numberOf(b);
  if (!fold || !a || left === undefined || right === undefined) return undefined;
  const dtype = dtypeOf(a);
  const type = node.outputs[0];
  if (!type || type.shape.length > 0 || (dtype !== "float32" && dtype !== "int32"))
    return undefined;
  const value = fold(left, right);
  // Overflow and division by 0 are left to the run.
  if (dtype === "int32" && (node.op === "div" || value !== (value | 0))) return undefined;
  return constant(hostTensorFrom(dtype, [], [value]));
}

const ADD: Rule = (node, inputs) => {
  const [a, b] = inputs;
  if (numberOf(b) === 0) return keeps(node, a);
  return numberOf(a) === 0 ? keeps(node, b) : foldScalars(node, inputs);
};

const MULTIPLY: Rule = (node, inputs) => {
  const [a, b] = inputs;
  if (numberOf(b) === 1) return keeps(node, a);
  return numberOf(a) === 1 ? keeps(node, b) : foldScalars(node, inputs);
};

const RULES: Partial<Record<PrimitiveName, Rule>> = {
  add: ADD,
  sub: (node, inputs) =>
    numberOf(inputs[1]) === 0 ? keeps(node, inputs[0]) : foldScalars(node, inputs),
  mul: MULTIPLY,
  div: (node, inputs) =>
    numberOf(inputs[1]) === 1 ? keeps(node, inputs[0]) : foldScalars(node, inputs),
  max: foldScalars,
  neg: (_, [x]) => (x?.node.op === "neg" ? x.node.inputs[0] : undefined),
  not: (_, [x]) => (x?.node.op === "not" ? x.node.inputs[0] : undefined),
  cast: (node, [x]) => {
    const to = node.outputs[0]?.dtype;
    if (!x || !to) return undefined;
    if (dtypeOf(x) === to) return x;
    // Widened and narrowed again: every 16-bit float is a float32.
    const [inner] = x.node.op === "cast" ? x.node.inputs : [];
    if (inner && dtypeOf(inner) === to && dtypeOf(x) === "float32" && isFloat(to)) return inner;
    const tensor = constantOf(x);
    const folds = tensor && tensor.data.length === 1 && dtypeOf(x) === "int32" && isFloat(to);
    return folds ? constant(hostTensorFrom(to, tensor.shape, [scalarValue(tensor)])) : undefined;
  },
  reshape: (node, [x]) => {
    const shape = node.outputs[0]?.shape;
    if (!x || !shape) return undefined;
    if (equalShapes(shapeOf(x), shape)) return x;
    const inner = x.node.op === "reshape" ? x.node.inputs[0] : undefined;
    return inner && reshape(inner, shape);
  },
  transpose: (node, [x]) => {
    if (!x) return undefined;
    const permutation = node.attrs["permutation"] as readonly number[];
    if (permutation.every((axis, i) => axis === i)) return x;
    const inner = x.node.op === "transpose" ? x.node.inputs[0] : undefined;
    if (!inner) return undefined;
    const before = x.node.attrs["permutation"] as readonly number[];
    const merged = permutation.map((axis) => before[axis] ?? 0);
    return merged.every((axis, i) => axis === i) ? inner : transpose(inner, merged);
  },
  broadcast: (node, [x]) => {
    const shape = node.outputs[0]?.shape;
    if (!x || !shape) return undefined;
    if (equalShapes(shapeOf(x), shape)) return x;
    const inner = x.node.op === "broadcast" ? x.node.inputs[0] : undefined;
    return inner && broadcast(inner, shape);
  },
  slice: (node, [x]) => keeps(node, x),
  pad: (node, [x]) => keeps(node, x),
};

export function simplifyGraph(graph: Graph): Graph {
  return rewriteGraph(graph, (node, inputs) => {
    const rule = isPrimitiveName(node.op) ? RULES[node.op] : undefined;
    const value = rule && atOrigin(node.origin, node.recompute, () => rule(node, inputs));
    return value && [value];
  });
}

export const simplify: Pass = { name: "simplify", run: simplifyGraph };
