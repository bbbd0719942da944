/** Random graphs over a symbolic batch, for tests that a pass keeps what a graph means. */
import { createGraph, inputName, type Graph } from "../graph/graph.js";
import { rankOf, shapeOf, type Value } from "../graph/node.js";
import * as ops from "../ops/index.js";
import { createRandom } from "../random/prng.js";
import { evaluateGraph } from "../reference/evaluate.js";
import { addDims, equalDims, symbolDim, type Dim, type DimBinding } from "../tensor/dim.js";
import { hostTensorFrom, type HostTensor } from "../tensor/host-tensor.js";
import { elementCount, evaluateShape, type Shape } from "../tensor/shape.js";

const batch = symbolDim("batch");

type Pick = (below: number) => number;

/** Whether b stretches to a. */
function fits(a: Shape, b: Shape): boolean {
  const offset = a.length - b.length;
  return offset >= 0 && b.every((dim, i) => dim === 1 || equalDims(dim, a[offset + i]!));
}

const SCALARS = [0, -0, 1, 2, -0.5, 1];

/** One op on x, of any kind that takes a [.., n] float of rank at least 1; y stretches to x. */
function randomOp(x: Value, y: Value, pick: Pick): Value {
  const shape = shapeOf(x);
  const last = shape.at(-1) as number;
  const scalar = SCALARS[pick(SCALARS.length)]!;
  const makers: readonly (() => Value)[] = [
    () => ops.add(x, y),
    () => ops.sub(y, x),
    () => ops.mul(x, y),
    () => ops.div(x, ops.add(ops.abs(y), 1)),
    () => ops.max(x, y),
    () => ops.add(x, scalar),
    () => ops.sub(x, scalar),
    () => ops.mul(scalar, x),
    () => ops.div(x, 1),
    () => ops.mul(x, ops.add(ops.mul(2, 3), ops.scalar(scalar))),
    () => ops.neg(ops.neg(x)),
    () => ops.tanh(x),
    () => ops.gelu(x),
    () => ops.relu(x),
    () => ops.softmax(x),
    () => ops.softplus(x),
    () => ops.clamp(x, -0.5, 0.75),
    () =>
      ops.layerNorm(x, ops.broadcast(ops.scalar(1), [last]), ops.broadcast(ops.scalar(0), [last]))
        .output,
    () => ops.mean(x, { axes: [-1], keepDims: true }),
    () => ops.sum(x, { axes: [-1], keepDims: true }),
    () => ops.transpose(ops.transpose(ops.reshape(x, [-1, 1, last]), [2, 0, 1]), [1, 2, 0]),
    () => ops.reshape(ops.reshape(x, [-1]), [-1, last]),
    () => ops.broadcast(ops.broadcast(ops.reshape(y, [...shapeOf(y)]), shape), [2, ...shape]),
    () => ops.sliceAxis(ops.concat([x, x], -1), -1, 1, last),
    () =>
      ops.slice(
        ops.pad(
          x,
          shape.map(() => 0),
          shape,
        ),
        shape.map(() => 0),
        shape,
      ),
    () => ops.select(ops.not(ops.not(ops.less(x, y))), x, ops.exp(ops.neg(ops.abs(y)))),
    () => ops.cast(ops.cast(x, "float32"), "float32"),
    () => ops.matmul(ops.reshape(x, [-1, last]), ops.broadcast(ops.scalar(0.25), [last, 3])),
    () => ops.stopGradient(x),
    () => ops.after(x, y),
    () => ops.div(x, ops.cast(ops.add(ops.dimSize(batch), 1), "float32")),
    () => ops.mul(ops.cast(ops.iota(last), "float32"), x),
    () => ops.add(ops.sum(ops.cast(ops.iota(addDims(batch, 1)), "float32")), x),
  ];
  return makers[pick(makers.length)]!();
}

/** A graph of `steps` random ops, some of them built twice; the same for a seed. */
export function randomGraph(seed: number, steps = 24): Graph {
  const random = createRandom(seed);
  const pick: Pick = (below) => random.integer(below);
  const inputs: Value[] = [
    ops.input("x", [batch, 4]),
    ops.parameter("w", [4]),
    ops.input("z", [batch, 1]),
    ops.input("unused", [2]),
  ];
  const pool = inputs.slice(0, 3);
  for (let i = 0; i < steps; i++) {
    const x = pool[pool.length - 1 - pick(Math.min(pool.length, 6))]!;
    const partners = pool.filter((value) => fits(shapeOf(x), shapeOf(value)));
    const y = partners[pick(partners.length)]!;
    if (rankOf(x) > 4) continue;
    const again = createRandom(seed * 1000 + i);
    const repeated: Pick = (below) => again.integer(below);
    pool.push(randomOp(x, y, repeated));
    if (pick(4) === 0) {
      const twice = createRandom(seed * 1000 + i);
      pool.push(randomOp(x, y, (below) => twice.integer(below)));
    }
  }
  const outputs = pool.slice(-5).map((value, i) => [`out${i}`, value] as const);
  return createGraph(`random ${seed}`, Object.fromEntries(outputs), inputs);
}

/** Numbers for every input, the same for a graph's names and shapes. */
function randomFeeds(graph: Graph, sizes: DimBinding): Record<string, HostTensor> {
  return Object.fromEntries(
    graph.inputs.map((value) => {
      const name = inputName(value.node);
      const shape = evaluateShape(shapeOf(value), sizes);
      const random = createRandom(name);
      const numbers = Array.from({ length: elementCount(shape) }, () => random.normal());
      return [name, hostTensorFrom("float32", shape, numbers)];
    }),
  );
}

/** A graph's results as lists of numbers. */
export function resultsOf(graph: Graph, sizes: DimBinding): Record<string, readonly number[]> {
  const results = evaluateGraph(graph, randomFeeds(graph, sizes));
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, [...data]]));
}

/** Results without the sign of zeros. */
export function unsignedZeros(
  results: Record<string, readonly number[]>,
): Record<string, readonly number[]> {
  return Object.fromEntries(
    Object.entries(results).map(([name, numbers]) => [name, numbers.map((x) => x + 0)]),
  );
}

/** The dims of every output. */
export function outputShapes(graph: Graph): Record<string, readonly Dim[]> {
  return Object.fromEntries(
    Object.entries(graph.outputs).map(([name, value]) => [name, shapeOf(value)]),
  );
}
