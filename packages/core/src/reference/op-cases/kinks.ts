/** Where a function has no derivative, which one it has here (design §4): PyTorch's for relu and clamp, an even split of ties. */
import type { Value } from "../../graph/node.js";
import * as ops from "../../ops/index.js";
import { given, opCase, type CaseInput, type OpCase, type OpCaseOptions } from "./op-case.js";

function kink(
  op: string,
  name: string,
  options: Pick<OpCaseOptions, "inputs" | "build" | "expected" | "expectedGradients" | "dtypes">,
): OpCase {
  return opCase(op, { name: `kink: ${name}`, smooth: false, ...options });
}

const vector = (...values: readonly number[]): CaseInput => given([values.length], values);
const each =
  (build: (x: Value) => Value) =>
  ([x]: readonly Value[]): readonly Value[] => [build(x!)];
const both =
  (build: (a: Value, b: Value) => Value) =>
  ([a, b]: readonly Value[]): readonly Value[] => [build(a!, b!)];

export const kinkCases: readonly OpCase[] = [
  kink("abs", "0 at 0", {
    inputs: [vector(-2, 0, 2)],
    build: each(ops.abs),
    expected: [[2, 0, 2]],
    expectedGradients: [[-1, 0, 1]],
  }),
  kink("max", "half to each of a tie", {
    inputs: [vector(1, 2, 3), vector(2, 2, 2)],
    build: both(ops.max),
    expected: [[2, 2, 3]],
    expectedGradients: [
      [0, 0.5, 1],
      [1, 0.5, 0],
    ],
  }),
  kink("max", "half of a tie with a stretched operand", {
    inputs: [vector(2, 2, 3, 1), vector(2)],
    build: both(ops.max),
    expectedGradients: [[0.5, 0.5, 1, 0], [2]],
  }),
  kink("reduceMax", "ties share evenly", {
    inputs: [given([2, 4], [1, 5, 5, 5, 3, 3, 3, 3])],
    build: each((x) => ops.reduceMax(x, { axes: [1] })),
    expected: [[5, 3]],
    expectedGradients: [[0, 1 / 3, 1 / 3, 1 / 3, 0.25, 0.25, 0.25, 0.25]],
  }),
  kink("relu", "0 at 0", {
    inputs: [vector(-1, 0, 1)],
    build: each(ops.relu),
    expected: [[0, 0, 1]],
    expectedGradients: [[0, 0, 1]],
  }),
  kink("clamp", "1 on its bounds", {
    inputs: [vector(-2, -1, 0, 3, 4)],
    build: each((x) => ops.clamp(x, -1, 3)),
    expected: [[-1, -1, 0, 3, 3]],
    expectedGradients: [[0, 1, 1, 1, 0]],
  }),
  kink("softplus", "a half at 0, where its parts have kinks", {
    inputs: [vector(0)],
    build: each(ops.softplus),
    expected: [[Math.LN2]],
    expectedGradients: [[0.5]],
  }),
  kink("l2Normalize", "finite at 0", {
    inputs: [given([2, 2], [0, 0, 3, 4])],
    build: each((x) => ops.l2Normalize(x, { epsilon: 1e-3 })),
    expected: [[0, 0, 0.6, 0.8]],
    // At 0 it is x/ε; elsewhere (1 − y·Σy)/‖x‖ for the sum of y.
    expectedGradients: [[1000, 1000, (1 - 0.6 * 1.4) / 5, (1 - 0.8 * 1.4) / 5]],
    dtypes: ["float32"],
  }),
  kink("l2Normalize", "finite at 0 with PyTorch's epsilon", {
    inputs: [given([1, 2], [0, 0])],
    build: each((x) => ops.l2Normalize(x)),
    expected: [[0, 0]],
    expectedGradients: [[1e12, 1e12]],
    dtypes: ["float32"],
  }),
  kink("softmax", "ties at the maximum have no kink", {
    inputs: [given([1, 2], [4, 4])],
    build: each((x) => ops.mul(ops.softmax(x), ops.softmax(x))),
    expected: [[0.25, 0.25]],
    expectedGradients: [[0, 0]],
  }),
  kink("logSumExp", "ties at the maximum have no kink", {
    inputs: [given([1, 2], [4, 4])],
    build: each((x) => ops.logSumExp(x)),
    expected: [[4 + Math.LN2]],
    expectedGradients: [[0.5, 0.5]],
  }),
];
