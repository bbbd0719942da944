/**
 * The reference evaluator: the meaning of every op. Slow, in float64, on the host.
 * Floats are never rounded to their dtype, also not by `cast`: results are those of exact arithmetic, up to float64.
 * Composites are what their decomposition says.
 */
import { InternalError } from "../errors.js";
import { isLeafInput, type Graph } from "../graph/graph.js";
import type { Node, Value } from "../graph/node.js";
import { nodesInOrder } from "../graph/traverse.js";
import { opDef } from "../ops/op-table.js";
import { isPrimitiveName, type PrimitiveName } from "../ops/primitive-table.js";
import type { DimBinding } from "../tensor/dim.js";
import type { HostTensor } from "../tensor/host-tensor.js";
import { evaluateShape } from "../tensor/shape.js";
import { bindFeeds } from "../backend/bind-feeds.js";
import { createFloat64Tensor, toFloat64, type Float64Tensor } from "./float64-tensor.js";
import { KERNELS } from "./kernel-table.js";
import type { Kernel, KernelContext } from "./kernels/kernel.js";

/** What an input or parameter is fed, by its name. */
export type ReferenceFeeds = Readonly<Record<string, HostTensor | Float64Tensor>>;

/**
 * Evaluates `values` from what is fed.
 *
 * @param feeds A tensor for every input and parameter that the values reach; others are ignored.
 * @param binding Sizes of symbols that no fed shape shows.
 * @throws BackendError on a missing feed, DtypeError and ShapeError on feeds that do not fit, ShapeError on an index or
 * window out of range, DataError on an int32 division by 0.
 */
export function evaluateValues(
  values: readonly Value[],
  feeds: ReferenceFeeds,
  binding: DimBinding = {},
): Float64Tensor[] {
  const leaves = nodesInOrder(values).filter(isLeafInput);
  const inputs = leaves.map((node) => ({ node, index: 0 }));
  return evaluateBound(values, feeds, bindFeeds("core/reference", inputs, feeds, binding));
}

/**
 * Evaluates a graph's outputs by name. Symbols take their sizes from the shapes that are fed.
 *
 * @throws As {@link evaluateValues}; also for inputs that no output reads.
 */
export function evaluateGraph(graph: Graph, feeds: ReferenceFeeds): Record<string, Float64Tensor> {
  const binding = bindFeeds("core/reference", graph.inputs, feeds);
  const names = Object.keys(graph.outputs);
  const results = evaluateBound(Object.values(graph.outputs), feeds, binding);
  return Object.fromEntries(names.map((name, i) => [name, results[i]!]));
}

/** Tensors by node, one for each output. */
type Known = Map<Node, readonly Float64Tensor[]>;

/** What holds for a whole evaluation. */
interface Evaluation {
  readonly binding: DimBinding;
  readonly feed: (name: string) => Float64Array;
}

/** Evaluates with checked feeds and all symbols bound. */
function evaluateBound(
  values: readonly Value[],
  feeds: ReferenceFeeds,
  binding: DimBinding,
): Float64Tensor[] {
  const steps = evaluationSteps(values, feeds, binding);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** The evaluation with a pause after each node, in which its caller may stop it or let others run. */
export function evaluationSteps(
  values: readonly Value[],
  feeds: ReferenceFeeds,
  binding: DimBinding,
): Generator<undefined, Float64Tensor[]> {
  const feed = (name: string): Float64Array => {
    const tensor = feeds[name];
    if (!tensor)
      throw new InternalError(`core/reference: feed "${name}" was checked, but is missing.`);
    return toFloat64(tensor).data;
  };
  return evaluateFrom(values, new Map(), { binding, feed });
}

/** Evaluates what `values` need beyond `known`, and drops each result after its last reader. */
function* evaluateFrom(
  values: readonly Value[],
  known: Known,
  evaluation: Evaluation,
): Generator<undefined, Float64Tensor[]> {
  const order = nodesInOrder(values, new Set(known.keys()));
  const readers = new Map<Node, number>();
  for (const { node } of [...order.flatMap((node) => node.inputs), ...values])
    readers.set(node, (readers.get(node) ?? 0) + 1);
  for (const node of order) {
    known.set(node, yield* evaluateNode(node, known, evaluation));
    yield;
    for (const { node: operand } of node.inputs) {
      const left = readers.get(operand)! - 1;
      readers.set(operand, left);
      if (left === 0) known.delete(operand);
    }
  }
  return values.map((value) => lookUp(value, known));
}

function lookUp({ node, index }: Value, known: Known): Float64Tensor {
  const found = known.get(node)?.[index];
  if (!found)
    throw new InternalError(`core/reference: output ${index} of ${node.op} was not evaluated.`);
  return found;
}

function* evaluateNode(
  node: Node,
  known: Known,
  evaluation: Evaluation,
): Generator<undefined, readonly Float64Tensor[]> {
  if (isPrimitiveName(node.op)) return [evaluatePrimitive(node, node.op, known, evaluation)];
  const def = opDef(node.op);
  if (def.kind === "primitive")
    throw new InternalError(`core/reference: no kernel for ${node.op}.`);
  const inner: Known = new Map(node.inputs.map((value) => [value.node, known.get(value.node)!]));
  return yield* evaluateFrom(def.decompose(node.inputs, node.attrs), inner, evaluation);
}

function evaluatePrimitive(
  node: Node,
  op: PrimitiveName,
  known: Known,
  evaluation: Evaluation,
): Float64Tensor {
  const operands = node.inputs.map((value) => lookUp(value, known));
  const [output] = node.outputs;
  if (!output) throw new InternalError(`core/reference: ${op} has no output.`);
  const shape = evaluateShape(output.shape, evaluation.binding);
  const context: KernelContext = { ...evaluation, shape, dtype: output.dtype };
  // A node's attributes were checked by its builder, so the kernel may read them as its own.
  const kernel = KERNELS[op] as unknown as Kernel<unknown>;
  return createFloat64Tensor(output.dtype, shape, kernel(operands, node.attrs, context));
}
