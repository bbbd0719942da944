/** Results at 0, ±60 and ±1e4 (design §4): values and derivatives stay finite wherever the function itself is. */
import type { Value } from "../../graph/node.js";
import * as ops from "../../ops/index.js";
import { given, opCase, type Expectation, type OpCase, type OpCaseOptions } from "./op-case.js";

const ALL = [0, 60, -60, 1e4, -1e4];
/** Where the domain begins at 0. */
const NOT_NEGATIVE = [0, 60, 1e4];

interface Extreme {
  readonly build: (x: Value) => Value;
  readonly at?: readonly number[];
  readonly values: readonly Expectation[];
  readonly slopes: readonly Expectation[];
}

const TINY = Math.exp(-60);
/** Activations that are x far right and 0 far left, with slope a half at 0. */
const GATE = { values: [0, 60, 0, 1e4, 0], slopes: [0.5, 1, 0, 1, 0] };
const STEP = { values: [0, 1, -1, 1, -1], slopes: [1, 0, 0, 0, 0] };

const ENTRYWISE: Readonly<Record<string, Extreme>> = {
  neg: { build: ops.neg, values: ALL.map((x) => -x), slopes: ALL.map(() => -1) },
  abs: { build: ops.abs, values: ALL.map(Math.abs), slopes: ALL.map(Math.sign) },
  exp: {
    build: ops.exp,
    at: [0, 60, -60, -1e4],
    values: [1, Math.exp(60), TINY, 0],
    slopes: [1, Math.exp(60), TINY, 0],
  },
  log: {
    build: ops.log,
    at: NOT_NEGATIVE,
    values: [-Infinity, Math.log(60), Math.log(1e4)],
    slopes: [Infinity, 1 / 60, 1e-4],
  },
  log1p: {
    build: ops.log1p,
    at: NOT_NEGATIVE,
    values: NOT_NEGATIVE.map(Math.log1p),
    slopes: NOT_NEGATIVE.map((x) => 1 / (1 + x)),
  },
  sqrt: {
    build: ops.sqrt,
    at: NOT_NEGATIVE,
    values: NOT_NEGATIVE.map(Math.sqrt),
    slopes: [Infinity, 0.5 / Math.sqrt(60), 0.005],
  },
  tanh: { build: ops.tanh, ...STEP },
  sigmoid: { build: ops.sigmoid, values: [0.5, 1, TINY, 1, 0], slopes: [0.25, 0, TINY, 0, 0] },
  erf: { build: ops.erf, ...STEP, slopes: [2 / Math.sqrt(Math.PI), 0, 0, 0, 0] },
  relu: { build: ops.relu, values: [0, 60, 0, 1e4, 0], slopes: [0, 1, 0, 1, 0] },
  gelu: { build: ops.gelu, ...GATE },
  geluTanh: { build: ops.geluTanh, ...GATE },
  quickGelu: { build: ops.quickGelu, ...GATE },
  softplus: {
    build: ops.softplus,
    values: [Math.LN2, 60, TINY, 1e4, 0],
    slopes: [0.5, 1, TINY, 1, 0],
  },
  clamp: { build: (x) => ops.clamp(x, -1, 1), ...STEP },
};

function extreme(op: string, name: string, options: Omit<OpCaseOptions, "name">): OpCase {
  return opCase(op, { name: `extremes: ${name}`, smooth: false, ...options });
}

/** Rows whose entries lie as far apart as they come. */
const ROWS = given([3, 3], [1e4, -1e4, 0, 60, 60, -60, -1e4, -1e4, -1e4]);
const NINE_FINITE: readonly Expectation[] = new Array<"finite">(9).fill("finite");

const row =
  (build: (x: Value) => Value) =>
  ([x]: readonly Value[]): readonly Value[] => [build(x!)];

const THIRD = 1 / 3;
const rowCases: readonly OpCase[] = [
  extreme("softmax", "rows", {
    inputs: [ROWS],
    build: row((x) => ops.softmax(x)),
    expected: [[1, 0, 0, 0.5, 0.5, 0, THIRD, THIRD, THIRD]],
    expectedGradients: [new Array<number>(9).fill(0)],
  }),
  extreme("logSoftmax", "rows", {
    inputs: [ROWS],
    build: row((x) => ops.logSoftmax(x)),
    expected: [
      [
        0,
        -2e4,
        -1e4,
        -Math.LN2,
        -Math.LN2,
        -120 - Math.LN2,
        -Math.log(3),
        -Math.log(3),
        -Math.log(3),
      ],
    ],
    // 1 − 3·softmax.
    expectedGradients: [[-2, 1, 1, -0.5, -0.5, 1, 0, 0, 0]],
  }),
  extreme("logSumExp", "rows", {
    inputs: [ROWS],
    build: row((x) => ops.logSumExp(x)),
    expected: [[1e4, 60 + Math.LN2, -1e4 + Math.log(3)]],
    expectedGradients: [[1, 0, 0, 0.5, 0.5, 0, THIRD, THIRD, THIRD]],
  }),
  extreme("logSumExp", "a row of −∞", {
    inputs: [given([2, 2], [-Infinity, -Infinity, 0, -Infinity])],
    build: row((x) => ops.logSumExp(x)),
    differentiable: [],
    expected: [[-Infinity, 0]],
  }),
  extreme("mean", "large entries", {
    inputs: [given([2, 3], [1e4, -1e4, 60, 1e4, 1e4, 1e4])],
    build: row((x) => ops.mean(x, { axes: [1] })),
    expected: [[20, 1e4]],
    expectedGradients: [new Array<number>(6).fill(THIRD)],
  }),
  extreme("l2Normalize", "rows", {
    inputs: [given([2, 2], [1e4, -1e4, 60, 0])],
    build: row((x) => ops.l2Normalize(x)),
    expected: [[Math.SQRT1_2, -Math.SQRT1_2, 1, 0]],
    expectedGradients: [[Math.SQRT1_2 / 1e4, Math.SQRT1_2 / 1e4, 0, 1 / 60]],
    dtypes: ["float32"],
  }),
  extreme("layerNorm", "rows without spread, and with the largest", {
    inputs: [
      given([3, 3], [1e4, 1e4, 1e4, 0, 0, 0, 1e4, -1e4, 0]),
      given([3], [1, 1, 1]),
      given([3], [0, 0, 0]),
    ],
    build: ([x, scale, bias]) => [ops.layerNorm(x!, scale!, bias!).output],
    expected: [[0, 0, 0, 0, 0, 0, Math.sqrt(1.5), -Math.sqrt(1.5), 0]],
    expectedGradients: [NINE_FINITE, ["finite", "finite", "finite"], [3, 3, 3]],
    dtypes: ["float32"],
  }),
  extreme("batchNorm", "a channel without spread", {
    inputs: [given([2, 2], [60, 1e4, 60, -1e4]), given([2], [1, 1]), given([2], [0, 0.5])],
    build: ([x, scale, bias]) => [ops.batchNorm(x!, scale!, bias!).output],
    expected: [[0, 1.5, 0, -0.5]],
    expectedGradients: [
      ["finite", "finite", "finite", "finite"],
      [0, 0],
      [2, 2],
    ],
    dtypes: ["float32"],
  }),
  extreme("avgPool2d", "large entries that cancel", {
    inputs: [given([1, 1, 2, 2], [1e4, -1e4, 60, 0])],
    build: row((x) => ops.avgPool2d(x, 2)),
    expected: [[15]],
    expectedGradients: [[0.25, 0.25, 0.25, 0.25]],
  }),
  extreme("attention", "scores of ±1e4", {
    inputs: [
      given([1, 1, 2, 1], [100, -100]),
      given([1, 1, 2, 1], [100, -100]),
      given([1, 1, 2, 1], [3, 5]),
    ],
    build: ([query, key, value]) => [ops.attention(query!, key!, value!, { scale: 1 }).output],
    expected: [[3, 5]],
    expectedGradients: [
      [0, 0],
      [0, 0],
      [1, 1],
    ],
    // One rounding of a 16-bit probability, times keys of 100.
    dtypes: ["float32"],
  }),
];

const pairCases: readonly OpCase[] = [
  extreme("div", "by 0 and by large numbers", {
    inputs: [given([4], [60, 1e4, 0, -60]), given([4], [0, 60, 1e4, -1e4])],
    build: ([a, b]) => [ops.div(a!, b!)],
    differentiable: [],
    expected: [[Infinity, 1e4 / 60, 0, 0.006]],
  }),
  extreme("max", "of infinities", {
    inputs: [given([2], [-Infinity, Infinity]), given([2], [1, 1])],
    build: ([a, b]) => [ops.max(a!, b!)],
    expected: [[1, Infinity]],
    expectedGradients: [
      [0, 1],
      [1, 0],
    ],
  }),
];

export const extremeCases: readonly OpCase[] = [
  ...Object.entries(ENTRYWISE).map(([op, { build, at = ALL, values, slopes }]) =>
    extreme(op, "0, ±60 and ±1e4", {
      inputs: [given([at.length], at)],
      build: row(build),
      expected: [values],
      expectedGradients: [slopes],
    }),
  ),
  ...rowCases,
  ...pairCases,
];
