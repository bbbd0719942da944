/** Values and derivatives at 0, ±60 and ±1e4, where closed forms decide and differences cannot. */
import { describe, expect, it } from "vitest";
import type { Value } from "../graph/node.js";
import { clamp } from "../ops/composites/clamp.js";
import { attention } from "../ops/composites/attention.js";
import { batchNorm } from "../ops/composites/batch-norm.js";
import { gelu, geluTanh, quickGelu } from "../ops/composites/gelu.js";
import { l2Normalize } from "../ops/composites/l2-normalize.js";
import { layerNorm } from "../ops/composites/layer-norm.js";
import { relu } from "../ops/composites/relu.js";
import { logSoftmax, logSumExp, softmax } from "../ops/composites/softmax.js";
import { softplus } from "../ops/composites/softplus.js";
import {
  abs,
  div,
  erf,
  exp,
  log,
  log1p,
  max,
  mul,
  neg,
  select,
  sigmoid,
  sqrt,
  sub,
  tanh,
} from "../ops/primitives/elementwise.js";
import { input, scalar } from "../ops/primitives/leaves.js";
import { reduceMax, sum } from "../ops/primitives/reduction.js";
import { gradients } from "./gradients.js";
import { numbersOf } from "./numbers.test-support.js";

const POINTS = [-1e4, -60, 0, 60, 1e4] as const;

/** Value and derivative of f at each of `points`. */
function along(
  f: (x: Value) => Value,
  points: readonly number[],
): { readonly y: number[]; readonly dy: number[] } {
  const x = input("x", [points.length]);
  const y = f(x);
  const result = gradients({ outputs: [sum(y)], wrt: [x] });
  const [values, derivatives] = numbersOf([y, ...result.gradients], { x: points });
  return { y: values!, dy: derivatives! };
}

interface Row {
  readonly f: (x: Value) => Value;
  readonly points?: readonly number[];
  readonly y: readonly number[];
  readonly dy: readonly number[];
}

const ROWS: Readonly<Record<string, Row>> = {
  relu: { f: relu, y: [0, 0, 0, 60, 1e4], dy: [0, 0, 0, 1, 1] },
  clamp: {
    f: (x) => clamp(x, -60, 60),
    y: [-60, -60, 0, 60, 60],
    dy: [0, 1, 1, 1, 0],
  },
  softplus: {
    f: softplus,
    y: [0, Math.exp(-60), Math.LN2, 60, 1e4],
    dy: [0, Math.exp(-60), 0.5, 1, 1],
  },
  gelu: { f: gelu, y: [0, 0, 0, 60, 1e4], dy: [0, 0, 0.5, 1, 1] },
  geluTanh: { f: geluTanh, y: [0, 0, 0, 60, 1e4], dy: [0, 0, 0.5, 1, 1] },
  quickGelu: { f: quickGelu, y: [0, 0, 0, 60, 1e4], dy: [0, 0, 0.5, 1, 1] },
  sigmoid: {
    f: sigmoid,
    y: [0, Math.exp(-60), 0.5, 1, 1],
    dy: [0, Math.exp(-60), 0.25, 0, 0],
  },
  tanh: { f: tanh, y: [-1, -1, 0, 1, 1], dy: [0, 0, 1, 0, 0] },
  erf: { f: erf, y: [-1, -1, 0, 1, 1], dy: [0, 0, 2 / Math.sqrt(Math.PI), 0, 0] },
  abs: { f: abs, y: [1e4, 60, 0, 60, 1e4], dy: [-1, -1, 0, 1, 1] },
  neg: { f: neg, y: [1e4, 60, 0, -60, -1e4], dy: [-1, -1, -1, -1, -1] },
  "max with 0": { f: (x) => max(x, 0), y: [0, 0, 0, 60, 1e4], dy: [0, 0, 0.5, 1, 1] },
  "max with itself": { f: (x) => max(x, x), y: POINTS, dy: [1, 1, 1, 1, 1] },
  exp: {
    f: exp,
    y: [0, Math.exp(-60), 1, Math.exp(60), Infinity],
    dy: [0, Math.exp(-60), 1, Math.exp(60), Infinity],
  },
  log: {
    f: log,
    points: [0, 1e-4, 60, 1e4],
    y: [-Infinity, Math.log(1e-4), Math.log(60), Math.log(1e4)],
    dy: [Infinity, 1e4, 1 / 60, 1e-4],
  },
  log1p: {
    f: log1p,
    points: [-1, 0, 60, 1e4],
    y: [-Infinity, 0, Math.log(61), Math.log(10001)],
    dy: [Infinity, 1, 1 / 61, 1 / 10001],
  },
  sqrt: {
    f: sqrt,
    points: [0, 60, 1e4],
    y: [0, Math.sqrt(60), 100],
    dy: [Infinity, 0.5 / Math.sqrt(60), 0.005],
  },
  "div by x": {
    f: (x) => div(scalar(1), x),
    points: [-1e4, -60, 60, 1e4],
    y: [-1e-4, -1 / 60, 1 / 60, 1e-4],
    dy: [-1e-8, -1 / 3600, -1 / 3600, -1e-8],
  },
};

function expectNear(got: readonly number[], expected: readonly number[]): void {
  expect(got).toHaveLength(expected.length);
  got.forEach((value, i) => {
    const wanted = expected[i]!;
    if (Number.isFinite(wanted))
      expect(Math.abs(value - wanted)).toBeLessThan(1e-7 * Math.max(1, Math.abs(wanted)));
    else expect(value).toBe(wanted);
  });
}

describe.each(Object.entries(ROWS))("%s", (_, { f, points = POINTS, y, dy }) => {
  it("has the value and the derivative of the closed form", () => {
    const got = along(f, points);
    expectNear(got.y, y);
    expectNear(got.dy, dy);
  });
});

/** Σ weights·f(x) by x. */
function weighted(f: (x: Value) => Value, x: readonly number[], weights: readonly number[]) {
  const leaf = input("x", [x.length]);
  const y = f(leaf);
  const loss = sum(mul(y, input("w", [weights.length])));
  const result = gradients({ outputs: [loss], wrt: [leaf] });
  const [value, dx] = numbersOf([y, ...result.gradients], { x, w: weights });
  return { value: value!, dx: dx! };
}

describe("functions along an axis", () => {
  const wide = [-1e4, -60, 0, 60, 1e4];
  const one = [0, 0, 0, 0, 1];

  it("softmax, its logarithm and logSumExp stay finite", () => {
    expectNear(weighted(softmax, wide, one).value, one);
    expectNear(weighted(softmax, wide, [1, 2, 3, 4, 5]).dx, [0, 0, 0, 0, 0]);
    expectNear(weighted(logSoftmax, wide, one).value, [-2e4, -10060, -1e4, -9940, 0]);
    expectNear(weighted(logSoftmax, wide, [1, 0, 0, 0, 0]).dx, [1, 0, 0, 0, -1]);
    const total = weighted((x) => logSumExp(x, { keepDims: true }), wide, [2]);
    expectNear(total.value, [1e4]);
    expectNear(total.dx, [0, 0, 0, 0, 2]);
  });

  it("logSumExp of −∞ alone is −∞", () => {
    const { value } = weighted(
      (x) => logSumExp(x, { keepDims: true }),
      [-Infinity, -Infinity],
      [1],
    );
    expect(value).toEqual([-Infinity]);
  });

  it("reduceMax shares the cotangent among ties", () => {
    const { value, dx } = weighted((x) => reduceMax(x, { keepDims: true }), [3, 1, 3, 3], [6]);
    expect(value).toEqual([3]);
    expectNear(dx, [2, 0, 2, 2]);
  });

  it("l2Normalize is zero at zero, with derivative 1/ε", () => {
    const { value, dx } = weighted((x) => l2Normalize(x), [0, 0, 0], [1, -2, 0.5]);
    expect(value).toEqual([0, 0, 0]);
    expectNear(
      dx.map((v) => v / 1e12),
      [1, -2, 0.5],
    );
  });

  it("l2Normalize of large vectors has length 1 and a derivative across it", () => {
    const { value, dx } = weighted((x) => l2Normalize(x), [1e4, 0], [1, 1]);
    expectNear(value, [1, 0]);
    expectNear(dx, [0, 1e-4]);
  });

  it("norms of constant and of huge values are finite", () => {
    for (const x of [
      [0, 0, 0, 0],
      [60, 60, 60, 60],
      [-1e4, 1e4, 0, 60],
    ]) {
      const scale = input("scale", [4]);
      const feeds = { x, scale: [1, 2, 3, 4], bias: [0, 0, 0, 0], w: [1, -1, 2, 5] };
      const leaf = input("x", [1, 4]);
      const loss = sum(mul(layerNorm(leaf, scale, input("bias", [4])).output, input("w", [4])));
      const result = gradients({ outputs: [loss], wrt: [leaf, scale] });
      const got = numbersOf([...result.outputs, ...result.gradients], feeds).flat();
      expect(got.every(Number.isFinite)).toBe(true);

      const images = input("x", [4, 1]);
      const channel = { x, scale: [2], bias: [0], w: feeds.w };
      const { output } = batchNorm(images, input("scale", [1]), input("bias", [1]));
      const batchLoss = sum(mul(output, input("w", [4, 1])));
      const batch = gradients({ outputs: [batchLoss], wrt: [images] });
      expect(numbersOf(batch.gradients, channel).flat().every(Number.isFinite)).toBe(true);
    }
  });

  it("attention with scores of ±1e4 picks one key, and its gradient is finite", () => {
    const q = input("q", [1, 1, 1, 1]);
    const k = input("k", [1, 1, 3, 1]);
    const v = input("v", [1, 1, 3, 1]);
    const { output, logSumExp: logTotal } = attention(q, k, v, { scale: 1 });
    const result = gradients({ outputs: [sum(output)], wrt: [q, k, v] });
    const feeds = { q: [100], k: [-100, 100, 0], v: [1, 2, 3] };
    const [y, total, ...derivatives] = numbersOf([output, logTotal, ...result.gradients], feeds);
    expectNear(y!, [2]);
    expectNear(total!, [1e4]);
    expectNear(derivatives.flat(), [0, 0, 0, 0, 0, 1, 0]);
  });
});

describe("select", () => {
  it("passes the cotangent to the chosen side only", () => {
    const condition = input("c", [3], "bool");
    const a = input("a", [3]);
    const b = input("b", [3]);
    const y = sum(sub(mul(select(condition, a, b), 2), 1));
    const { gradients: found } = gradients({ outputs: [y], wrt: [a, b] });
    const got = numbersOf(found, { c: [1, 0, 1], a: [0, 0, 0], b: [0, 0, 0] });
    expect(got).toEqual([
      [2, 0, 2],
      [0, 2, 0],
    ]);
  });
});
