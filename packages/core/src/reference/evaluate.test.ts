import { describe, expect, it } from "vitest";
import { createGraph } from "../graph/graph.js";
import type { Value } from "../graph/node.js";
import * as ops from "../ops/index.js";
import { PRIMITIVE_NAMES } from "../ops/primitive-table.js";
import { addDims, symbolDim } from "../tensor/dim.js";
import type { DType } from "../tensor/dtype.js";
import { hostTensorFrom, type HostTensor } from "../tensor/host-tensor.js";
import { evaluateGraph, evaluateValues } from "./evaluate.js";
import { createFloat64Tensor } from "./float64-tensor.js";
import { KERNELS } from "./kernel-table.js";

const of = (shape: readonly number[], values: readonly number[], dtype: DType = "float32"): Value =>
  ops.constant(hostTensorFrom(dtype, shape, values));
const ints = (shape: readonly number[], values: readonly number[]): Value =>
  of(shape, values, "int32");
const count = (shape: readonly number[]): Value =>
  of(
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
  );
const run = (value: Value): number[] => [...evaluateValues([value], {})[0]!.data];

describe("the kernel table", () => {
  it("has a kernel for each primitive and no other", () => {
    expect(Object.keys(KERNELS).sort()).toEqual([...PRIMITIVE_NAMES].sort());
  });
});

describe("elementwise", () => {
  it("broadcasts both operands", () => {
    expect(run(ops.sub(of([2, 1], [10, 20]), of([1, 3], [1, 2, 3])))).toEqual([
      9, 8, 7, 19, 18, 17,
    ]);
    expect(run(ops.add(of([3], [1, 2, 3]), of([2, 3], [0, 0, 0, 10, 10, 10])))).toEqual([
      1, 2, 3, 11, 12, 13,
    ]);
  });

  it("computes floats in float64", () => {
    expect(run(ops.div(of([], [1]), of([], [3])))).toEqual([1 / 3]);
    expect(run(ops.log1p(ops.mul(of([], [1]), ops.exp(of([], [-40])))))).toEqual([Math.exp(-40)]);
  });

  it("does not round on a cast between floats", () => {
    expect(run(ops.cast(ops.div(of([], [1]), 3), "float16"))).toEqual([1 / 3]);
  });

  it("casts to int32 by truncation and to bool by comparison with zero", () => {
    expect(run(ops.cast(of([4], [1.9, -1.9, 0, 3]), "int32"))).toEqual([1, -1, 0, 3]);
    expect(run(ops.cast(of([3], [0, -0.5, 2]), "bool"))).toEqual([0, 1, 1]);
  });

  it("wraps int32", () => {
    const big = 2 ** 31 - 1;
    expect(run(ops.add(ints([], [big]), 1))).toEqual([-(2 ** 31)]);
    expect(run(ops.mul(ints([], [65537]), ints([], [65537])))).toEqual([131073]);
    expect(run(ops.neg(ints([], [-(2 ** 31)])))).toEqual([-(2 ** 31)]);
    expect(run(ops.sum(ints([2], [big, big])))).toEqual([-2]);
    expect(run(ops.div(ints([2], [7, -7]), 2))).toEqual([3, -3]);
    expect(() => run(ops.div(ints([], [1]), 0))).toThrow(/divisors other than 0/);
  });

  it("has a sigmoid without overflow", () => {
    expect(run(ops.sigmoid(of([3], [-1000, 0, 1000])))).toEqual([0, 0.5, 1]);
    expect(run(ops.sigmoid(of([1], [-60])))[0]).toBeCloseTo(8.75651076269652e-27, 40);
  });

  it("compares, selects and combines", () => {
    const [a, b] = [of([3], [1, 2, NaN]), of([3], [2, 2, 2])];
    expect(run(ops.less(a, b))).toEqual([1, 0, 0]);
    expect(run(ops.lessEqual(a, b))).toEqual([1, 1, 0]);
    expect(run(ops.equal(a, b))).toEqual([0, 1, 0]);
    expect(run(ops.not(ops.or(ops.less(a, b), ops.equal(a, b))))).toEqual([0, 0, 1]);
    expect(run(ops.and(ops.lessEqual(a, b), ops.equal(a, b)))).toEqual([0, 1, 0]);
    expect(run(ops.select(ops.equal(a, b), a, of([1], [9])))).toEqual([9, 2, 9]);
  });
});

describe("reductions", () => {
  it("fold any axes", () => {
    const x = count([2, 3, 2]);
    expect(run(ops.sum(x, { axes: [0, 2] }))).toEqual([14, 22, 30]);
    expect(run(ops.sum(x, { axes: [1], keepDims: true }))).toEqual([6, 9, 24, 27]);
    expect(run(ops.reduceMax(x, { axes: [0] }))).toEqual([6, 7, 8, 9, 10, 11]);
    expect(run(ops.sum(x))).toEqual([66]);
  });

  it("give 0 and −∞ over an empty axis", () => {
    expect(run(ops.sum(count([0, 2]), { axes: [0] }))).toEqual([0, 0]);
    expect(run(ops.reduceMax(count([0, 2]), { axes: [0] }))).toEqual([-Infinity, -Infinity]);
  });

  it("sum without losing small entries beside large ones", () => {
    expect(run(ops.sum(of([4], [2 ** 60, 1, -(2 ** 60), 1])))).toEqual([2]);
  });

  it("find the first of ties and count NaN as largest", () => {
    expect(run(ops.argmax(of([2, 3], [1, 5, 5, 7, 7, 0]), 1))).toEqual([1, 0]);
    expect(run(ops.argmax(of([3], [1, NaN, 5]), 0))).toEqual([1]);
    expect(run(ops.reduceMax(of([3], [1, NaN, 5])))).toEqual([NaN]);
  });
});

describe("layout", () => {
  it("moves entries", () => {
    const x = count([2, 3]);
    expect(run(ops.transpose(x))).toEqual([0, 3, 1, 4, 2, 5]);
    expect(run(ops.transpose(count([2, 2, 2]), [2, 0, 1]))).toEqual([0, 2, 4, 6, 1, 3, 5, 7]);
    expect(run(ops.slice(x, [0, 1], [2, 2]))).toEqual([1, 2, 4, 5]);
    expect(run(ops.pad(x, [1, 0], [3, 4]))).toEqual([0, 0, 0, 0, 0, 1, 2, 0, 3, 4, 5, 0]);
    expect(run(ops.concat([x, of([2, 1], [8, 9])], 1))).toEqual([0, 1, 2, 8, 3, 4, 5, 9]);
    expect(run(ops.broadcast(of([2, 1], [1, 2]), [2, 2, 2]))).toEqual([1, 1, 2, 2, 1, 1, 2, 2]);
  });
});

describe("indexing", () => {
  it("takes and adds at indices", () => {
    expect(run(ops.take(count([3, 2]), ints([2, 2], [2, 0, 1, 1])))).toEqual([
      4, 5, 0, 1, 2, 3, 2, 3,
    ]);
    expect(run(ops.take(count([2, 3]), ints([], [1]), 1))).toEqual([1, 4]);
    expect(run(ops.takeAlong(count([2, 3]), ints([2, 1], [2, 0]), 1))).toEqual([2, 3]);
    const added = ops.scatterAdd(
      count([2, 2]),
      ints([3, 2], [0, 1, 0, 1, 1, 1]),
      of([3, 2], [1, 2, 3, 4, 5, 6]),
      0,
    );
    expect(run(added)).toEqual([4, 1, 7, 15]);
  });

  it("names an index that is out of range and the limit", () => {
    expect(() => run(ops.take(count([3, 2]), ints([1], [3])))).toThrow(
      /integers in \[0, 3\), got 3/,
    );
    expect(() => run(ops.takeAlong(count([2, 3]), ints([2, 1], [0, -1]), 1))).toThrow(/got -1/);
  });
});

describe("contractions", () => {
  it("multiplies matrices with flags and batches", () => {
    const [a, b] = [count([2, 3]), count([3, 2])];
    expect(run(ops.matmul(a, b))).toEqual([10, 13, 28, 40]);
    expect(run(ops.matmul(a, a, { transposeB: true }))).toEqual([5, 14, 14, 50]);
    expect(run(ops.matmul(a, a, { transposeA: true }))).toEqual([
      9, 12, 15, 12, 17, 22, 15, 22, 29,
    ]);
    const stacked = count([2, 1, 2, 2]);
    expect(run(ops.matmul(stacked, count([3, 2, 1])))).toEqual([
      1, 3, 3, 13, 5, 23, 5, 7, 23, 33, 41, 59,
    ]);
  });

  it("convolves with strides and asymmetric padding", () => {
    const x = count([1, 1, 3, 3]);
    const filter = of([1, 1, 2, 2], [1, 2, 3, 4]);
    expect(run(ops.conv2d(x, filter))).toEqual([27, 37, 57, 67]);
    const options = { strides: [2, 2], padding: [1, 0, 0, 1] } as const;
    expect(run(ops.conv2d(x, filter, options))).toEqual([4, 6, 57, 29]);
  });

  it("keeps groups apart", () => {
    const x = of([1, 2, 1, 2], [1, 2, 3, 4]);
    const filter = of([2, 1, 1, 1], [10, 100]);
    expect(run(ops.conv2d(x, filter, { groups: 2 }))).toEqual([10, 20, 300, 400]);
  });

  it("has gradients that are the transposes of conv2d", () => {
    // ⟨conv(x, f), dy⟩ = ⟨x, dx⟩ = ⟨f, df⟩ for any x, f and dy.
    const attrs = { strides: [2, 1], padding: [0, 1, 2, 0], groups: 2 } as const;
    const wave = (shape: readonly number[], phase: number): Value =>
      of(
        shape,
        Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(3 * i + phase)),
      );
    const [x, filter] = [wave([2, 4, 5, 4], 0), wave([6, 2, 3, 2], 1)];
    const y = ops.conv2d(x, filter, attrs);
    const dy = wave([2, 6, 3, 4], 2);
    const dot = (a: Value, b: Value): number => run(ops.sum(ops.mul(a, b)))[0]!;
    const expected = dot(y, dy);
    expect(dot(x, ops.conv2dInputGradient(dy, filter, [2, 4, 5, 4], attrs))).toBeCloseTo(
      expected,
      10,
    );
    expect(dot(filter, ops.conv2dFilterGradient(x, dy, [6, 2, 3, 2], attrs))).toBeCloseTo(
      expected,
      10,
    );
  });
});

describe("graphs", () => {
  const batch = symbolDim("batch");
  const floats = (shape: readonly number[]): HostTensor =>
    hostTensorFrom(
      "float32",
      shape,
      Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
    );

  it("bind symbols from what is fed", () => {
    const x = ops.input("x", [batch, 2]);
    const graph = createGraph("sizes", {
      rows: ops.sum(x, { axes: [1] }),
      size: ops.dimSize(batch),
      positions: ops.iota(batch),
      tail: ops.slice(x, [addDims(batch, -1), 0], [1, 2]),
    });
    const { rows, size, positions, tail } = evaluateGraph(graph, { x: floats([3, 2]) });
    expect([...rows!.data]).toEqual([1, 5, 9]);
    expect([...size!.data]).toEqual([3]);
    expect([...positions!.data]).toEqual([0, 1, 2]);
    expect([...tail!.data]).toEqual([4, 5]);
    expect(rows!.shape).toEqual([3]);
  });

  it("solve polynomials for their symbol", () => {
    const x = ops.input("x", [addDims(batch, batch, 1)]);
    expect(run2(x, [7])).toEqual([3]);
    expect(() => run2(x, [6])).toThrow(/expected a size that 2\*batch\+1 can have, got 6/);
    function run2(value: Value, shape: readonly number[]): number[] {
      return [
        ...evaluateGraph(createGraph("g", { n: ops.dimSize(batch), value }), { x: floats(shape) })[
          "n"
        ]!.data,
      ];
    }
  });

  it("name a symbol with two sizes", () => {
    const graph = createGraph("g", {
      y: ops.add(ops.input("a", [batch]), ops.input("b", [batch])),
    });
    expect(() => evaluateGraph(graph, { a: floats([2]), b: floats([3]) })).toThrow(
      /batch: expected one size, got 2 \("a" axis 0\) and 3 \("b" axis 0\)/,
    );
  });

  it("refuse feeds that are missing or of another shape or dtype", () => {
    const graph = createGraph("g", { y: ops.neg(ops.input("x", [batch, 2])) });
    expect(() => evaluateGraph(graph, {})).toThrow(/expected a tensor for "x", got none/);
    expect(() => evaluateGraph(graph, { x: floats([2, 3]) })).toThrow(
      /expected \[batch, 2\], got \[2, 3\]/,
    );
    expect(() => evaluateGraph(graph, { x: floats([2]) })).toThrow(
      /expected \[batch, 2\], got \[2\]/,
    );
    const wrong = createFloat64Tensor("int32", [1, 2], [1, 2]);
    expect(() => evaluateGraph(graph, { x: wrong })).toThrow(/expected float32, got int32/);
  });

  it("evaluate composites with several outputs by their decomposition", () => {
    const x = ops.input("x", [batch, 3]);
    const { output, mean, invStd } = ops.layerNorm(x, of([3], [1, 1, 1]), of([3], [0, 0, 0]), {
      epsilon: 1e-5,
    });
    const graph = createGraph("g", { output, mean, invStd, x });
    const results = evaluateGraph(graph, { x: floats([2, 3]) });
    expect([...results["mean"]!.data]).toEqual([1, 4]);
    // Constants are float32, as on any backend.
    const expected = 1 / Math.sqrt(2 / 3 + Math.fround(1e-5));
    expect([...results["invStd"]!.data]).toEqual([expected, expected]);
    expect(results["output"]!.data[0]).toBeCloseTo(-expected, 14);
  });

  it("run a chain of thousands of nodes", () => {
    let value = ops.input("x", [2]);
    for (let i = 0; i < 5000; i++) value = ops.add(value, 1);
    expect([...evaluateValues([value], { x: floats([2]) })[0]!.data]).toEqual([5000, 5001]);
  });
});
