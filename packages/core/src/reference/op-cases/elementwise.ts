/** Cases of elementwise primitives. */
import type { Value } from "../../graph/node.js";
import * as ops from "../../ops/index.js";
import type { Operand } from "../../ops/primitives/elementwise.js";
import {
  BATCH,
  BATCHES,
  flags,
  given,
  integers,
  normal,
  opCase,
  uniform,
  whole,
  type CaseInput,
  type OpCase,
} from "./op-case.js";
import type { Shape } from "../../tensor/shape.js";

type Binary = (a: Operand, b: Operand) => Value;
type Unary = (x: Value) => Value;

/** Draws operands of a shape from where the function is smooth. */
type Region = (shape: Shape) => CaseInput;

function binaryCases(op: string, build: Binary, right: Region = normal): readonly OpCase[] {
  const both = ([a, b]: readonly Value[]): readonly Value[] => [build(a!, b!)];
  const make = (name: string, a: Shape, b: Shape, more: Partial<OpCase> = {}): OpCase =>
    opCase(op, { name, inputs: [normal(a), right(b)], build: both, ...more });
  return [
    make("equal shapes", [3, 5], [3, 5]),
    make("both operands stretch", [4, 1, 3], [5, 1]),
    make("left has fewer axes", [3], [2, 3]),
    make("right is a scalar", [2, 3], []),
    make("scalars", [], []),
    make("symbolic batch against size 1", [BATCH, 3], [1, 3], { bindings: BATCHES }),
    make("symbolic batch on both sides", [BATCH, 1], [BATCH, 3], { bindings: BATCHES }),
    make("large", [129, 515], [515], { large: true }),
    opCase(op, {
      name: "one operand twice",
      inputs: [right([5])],
      build: ([x]) => [build(x!, x!)],
      // max(x, x) is a tie everywhere.
      smooth: op !== "max",
    }),
    opCase(op, {
      name: "int32",
      inputs: [integers([2, 3], 100, -100), integers([3], 9, 1)],
      build: both,
    }),
  ];
}

function unaryCases(op: string, build: Unary, region: Region, int = false): readonly OpCase[] {
  const one = ([x]: readonly Value[]): readonly Value[] => [build(x!)];
  const make = (name: string, shape: Shape, more: Partial<OpCase> = {}): OpCase =>
    opCase(op, { name, inputs: [region(shape)], build: one, ...more });
  const cases = [
    make("vector", [17]),
    make("scalar", []),
    make("symbolic batch", [BATCH, 3], { bindings: BATCHES }),
    make("large", [129, 515], { large: true }),
  ];
  if (!int) return cases;
  return [...cases, opCase(op, { name: "int32", inputs: [integers([7], 50, -50)], build: one })];
}

const COMPARISONS = {
  equal: ops.equal,
  less: ops.less,
  lessEqual: ops.lessEqual,
  greater: ops.greater,
  greaterEqual: ops.greaterEqual,
};

const compareCases = Object.entries(COMPARISONS).flatMap(([name, build]) => [
  opCase("compare", {
    name: `${name}, with ties and stretching`,
    inputs: [whole([4, 1], 3), whole([BATCH, 1, 5], 3)],
    build: ([a, b]) => [build(a!, b!)],
    bindings: BATCHES,
    differentiable: [],
  }),
  opCase("compare", {
    name: `${name} of int32`,
    inputs: [integers([11], 3, -3), integers([11], 3, -3)],
    build: ([a, b]) => [build(a!, b!)],
  }),
]);

const logicCases = (op: "and" | "or"): readonly OpCase[] => [
  opCase(op, {
    name: "both operands stretch",
    inputs: [flags([4, 1]), flags([BATCH, 1, 5])],
    build: ([a, b]) => [ops[op](a!, b!)],
    bindings: BATCHES,
  }),
  opCase(op, {
    name: "scalars",
    inputs: [flags([]), flags([])],
    build: ([a, b]) => [ops[op](a!, b!)],
  }),
];

const choose = ([condition, a, b]: readonly Value[]): readonly Value[] => [
  ops.select(condition!, a!, b!),
];

const selectCases: readonly OpCase[] = [
  opCase("select", {
    name: "equal shapes",
    inputs: [flags([3, 4]), normal([3, 4]), normal([3, 4])],
    build: choose,
  }),
  opCase("select", {
    name: "condition stretches",
    inputs: [flags([3, 1]), normal([BATCH, 3, 4]), normal([4])],
    build: choose,
    bindings: BATCHES,
  }),
  opCase("select", {
    name: "branches stretch to the condition",
    inputs: [flags([2, 3]), normal([]), normal([3])],
    build: choose,
  }),
  opCase("select", {
    name: "int32",
    inputs: [flags([5]), integers([5], 9), integers([], 9)],
    build: choose,
  }),
  opCase("select", { name: "bool", inputs: [flags([5]), flags([5]), flags([1])], build: choose }),
  opCase("select", {
    name: "sends each cotangent to the side that was chosen",
    inputs: [given([3], [1, 0, 1], "bool"), given([3], [1, 2, 3]), given([3], [0, 0, -1])],
    build: ([condition, a, b]) => [ops.select(condition!, a!, ops.mul(b!, 2))],
    expected: [[1, 0, 3]],
    expectedGradients: [
      [1, 0, 1],
      [0, 2, 0],
    ],
  }),
];

const castCases: readonly OpCase[] = [
  opCase("cast", {
    name: "float to int32 truncates",
    inputs: [given([6], [1.75, -1.75, 0, -0.25, 100.5, -3])],
    build: ([x]) => [ops.cast(x!, "int32")],
    differentiable: [],
    expected: [[1, -1, 0, 0, 100, -3]],
    dtypes: ["float32", "float16"],
  }),
  opCase("cast", {
    name: "float to bool",
    inputs: [given([4], [0, -0.5, 2, 0])],
    build: ([x]) => [ops.cast(x!, "bool")],
    differentiable: [],
    expected: [[0, 1, 1, 0]],
  }),
  opCase("cast", {
    name: "through float32",
    inputs: [normal([BATCH, 3])],
    build: ([x]) => [ops.mul(ops.cast(x!, "float32"), 3)],
    bindings: BATCHES,
  }),
  opCase("cast", {
    name: "int32 to float32",
    inputs: [integers([5], 1000, -1000)],
    build: ([x]) => [ops.cast(x!, "float32")],
  }),
  opCase("cast", {
    name: "bool to float32",
    inputs: [flags([5])],
    build: ([x]) => [ops.cast(x!, "float32")],
  }),
  opCase("cast", {
    name: "bool to int32",
    inputs: [flags([5])],
    build: ([x]) => [ops.cast(x!, "int32")],
  }),
  opCase("cast", {
    name: "int32 to bool",
    inputs: [integers([7], 3, -3)],
    build: ([x]) => [ops.cast(x!, "bool")],
  }),
];

export const elementwiseCases = {
  add: binaryCases("add", ops.add),
  sub: binaryCases("sub", ops.sub),
  mul: binaryCases("mul", ops.mul),
  div: binaryCases("div", ops.div, (shape) => uniform(shape, 0.5, 2)),
  max: binaryCases("max", ops.max),
  neg: unaryCases("neg", ops.neg, normal, true),
  abs: unaryCases("abs", ops.abs, normal, true),
  exp: unaryCases("exp", ops.exp, normal),
  log: unaryCases("log", ops.log, (shape) => uniform(shape, 0.1, 5)),
  log1p: unaryCases("log1p", ops.log1p, (shape) => uniform(shape, -0.5, 4)),
  sqrt: unaryCases("sqrt", ops.sqrt, (shape) => uniform(shape, 0.1, 4)),
  tanh: unaryCases("tanh", ops.tanh, normal),
  sigmoid: unaryCases("sigmoid", ops.sigmoid, (shape) => normal(shape, 3)),
  erf: unaryCases("erf", ops.erf, normal),
  compare: compareCases,
  and: logicCases("and"),
  or: logicCases("or"),
  not: [
    opCase("not", {
      name: "symbolic batch",
      inputs: [flags([BATCH, 4])],
      build: ([x]) => [ops.not(x!)],
      bindings: BATCHES,
    }),
  ],
  select: selectCases,
  cast: castCases,
  stopGradient: [
    opCase("stopGradient", {
      name: "leaves the other way open",
      inputs: [given([3], [2, -3, 0.5])],
      build: ([x]) => [ops.mul(ops.stopGradient(x!), x!)],
      smooth: false,
      expected: [[4, 9, 0.25]],
      expectedGradients: [[2, -3, 0.5]],
    }),
    opCase("stopGradient", {
      name: "gives zeros where it is the only way",
      inputs: [normal([BATCH, 2])],
      build: ([x]) => [ops.exp(ops.stopGradient(x!))],
      bindings: BATCHES,
      smooth: false,
    }),
  ],
  after: [
    opCase("after", {
      name: "is the identity, whatever it waits for",
      inputs: [normal([BATCH, 3]), normal([2])],
      build: ([x, y]) => [ops.mul(ops.after(x!, ops.exp(y!)), x!)],
      bindings: BATCHES,
    }),
    opCase("after", {
      name: "keeps int32 and bool",
      inputs: [integers([4], 9), flags([4])],
      build: ([x, y]) => [ops.after(x!, y!), ops.after(y!, x!)],
    }),
  ],
} as const;
