/** Cases of reductions. */
import type { Value } from "../../graph/node.js";
import * as ops from "../../ops/index.js";
import type { ReductionOptions } from "../../ops/primitives/reduction.js";
import { BATCH, BATCHES, given, integers, normal, opCase, whole, type OpCase } from "./op-case.js";
import type { Shape } from "../../tensor/shape.js";

type Reduce = (x: Value, options?: ReductionOptions) => Value;

function casesOf(op: string, reduce: Reduce): readonly OpCase[] {
  const make = (
    name: string,
    shape: Shape,
    options: ReductionOptions | undefined,
    more: Partial<OpCase> = {},
  ): OpCase =>
    opCase(op, { name, inputs: [normal(shape)], build: ([x]) => [reduce(x!, options)], ...more });
  return [
    make("all axes", [3, 4], undefined),
    make("a scalar", [], undefined),
    make("last axis, counted from the end", [3, 5], { axes: [-1] }),
    make("first axis", [3, 5], { axes: [0] }),
    make("axes apart, kept", [2, 3, 4, 5], { axes: [-2, 0], keepDims: true }),
    make("axes apart, removed", [2, 3, 4, 5], { axes: [1, 3] }),
    make("an axis of size 1", [3, 1, 2], { axes: [1] }),
    make("beside a symbolic batch", [BATCH, 3, 2], { axes: [1, 2] }, { bindings: BATCHES }),
    make(
      "over a symbolic batch",
      [BATCH, 3],
      { axes: [0] },
      { bindings: op === "sum" ? BATCHES : BATCHES.slice(0, 2) },
    ),
    make("large rows", [33, 4099], { axes: [1] }, { large: true }),
    make("large columns", [4099, 33], { axes: [0] }, { large: true }),
    opCase(op, {
      name: "int32",
      inputs: [integers([3, 7], 50, -50)],
      build: ([x]) => [reduce(x!, { axes: [1] })],
    }),
  ];
}

const argmaxCases: readonly OpCase[] = [
  opCase("argmax", {
    name: "first of ties",
    inputs: [given([2, 4], [1, 5, 5, 0, 7, 2, 7, 7])],
    build: ([x]) => [ops.argmax(x!, -1)],
    differentiable: [],
    expected: [[1, 0]],
  }),
  ...[0, 1, -1].map((axis) =>
    opCase("argmax", {
      name: `axis ${axis}`,
      inputs: [whole([BATCH, 5, 3], 4)],
      build: ([x]) => [ops.argmax(x!, axis)],
      bindings: axis === 0 ? BATCHES.slice(0, 2) : BATCHES,
      differentiable: [],
    }),
  ),
  opCase("argmax", {
    name: "int32",
    inputs: [integers([4, 6], 5)],
    build: ([x]) => [ops.argmax(x!, 1)],
  }),
];

export const reductionCases = {
  sum: [
    ...casesOf("sum", ops.sum),
    opCase("sum", {
      name: "no axes",
      inputs: [normal([2, 3])],
      build: ([x]) => [ops.sum(x!, { axes: [] })],
    }),
    opCase("sum", {
      name: "an empty axis",
      inputs: [normal([0, 2])],
      build: ([x]) => [ops.sum(x!, { axes: [0] })],
      expected: [[0, 0]],
    }),
  ],
  reduceMax: [
    ...casesOf("reduceMax", ops.reduceMax),
    opCase("reduceMax", {
      name: "an empty axis",
      inputs: [normal([0, 2])],
      build: ([x]) => [ops.reduceMax(x!, { axes: [0] })],
      differentiable: [],
      expected: [[-Infinity, -Infinity]],
    }),
  ],
  argmax: argmaxCases,
} as const;
