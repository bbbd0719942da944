// Kernels of ours beside plain JavaScript's: what the conformance suite's shapes do not reach.
import {
  cast,
  conv2d,
  createGraph,
  createRandom,
  elementCount,
  equal,
  erf,
  gelu,
  gradients,
  hostTensorFrom,
  input,
  less,
  lessEqual,
  matmul,
  mul,
  scatterAdd,
  sum,
  take,
  type Backend,
  type Graph,
  type HostTensor,
} from "@diptych/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTfjsBackend } from "../tfjs-backend.js";

let wasm: Backend;
let cpu: Backend;

beforeAll(async () => {
  wasm = await createTfjsBackend({ engine: "wasm" });
  cpu = await createTfjsBackend({ engine: "cpu" });
});

afterAll(async () => {
  await wasm.dispose();
  await cpu.dispose();
});

async function result(
  backend: Backend,
  graph: Graph,
  feeds: Record<string, HostTensor>,
): Promise<Float32Array> {
  const executable = await backend.compile(graph);
  const { y } = await executable.run(feeds);
  const { data } = await y!.read();
  y!.dispose();
  await executable.dispose();
  return data as Float32Array;
}

function drawn(shape: readonly number[], seed: number): HostTensor {
  const data = new Float32Array(elementCount(shape));
  createRandom(seed).fillNormal(data);
  return hostTensorFrom("float32", shape, data);
}

function expectNear(found: Float32Array, expected: ArrayLike<number>, tolerance: number): void {
  expect(found).toHaveLength(expected.length);
  let largest = 0;
  for (let i = 0; i < found.length; i++)
    largest = Math.max(largest, Math.abs(found[i]! - expected[i]!));
  expect(largest).toBeLessThan(tolerance);
}

/** ∫ by Simpson's rule: independent of the table's series. */
function erfOf(x: number): number {
  const steps = 2000;
  const h = x / steps;
  let total = 0;
  for (let i = 0; i <= steps; i++) {
    const weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2;
    total += weight * Math.exp(-((i * h) ** 2));
  }
  return (2 / Math.sqrt(Math.PI)) * (h / 3) * total;
}

describe("kernels for wasm", () => {
  const points = Array.from({ length: 1201 }, (_, i) => (i - 600) / 93);

  it("have the error function and gelu to the last digits of float32", async () => {
    const x = input("x", [points.length]);
    const feeds = { x: hostTensorFrom("float32", [points.length], points) };
    const exact = Array.from(feeds.x.data);
    const found = await result(wasm, createGraph("erf", { y: erf(x) }), feeds);
    expectNear(found, exact.map(erfOf), 1.2e-7);
    const normal = exact.map((value) => 0.5 * value * (1 + erfOf(value * Math.SQRT1_2)));
    expectNear(await result(wasm, createGraph("gelu", { y: gelu(x) }), feeds), normal, 3e-7);
  });

  it("keep NaN, and end at the limits", async () => {
    const x = input("x", [5]);
    const feeds = { x: hostTensorFrom("float32", [5], [NaN, -1e4, 1e4, 0, -60]) };
    const found = await result(wasm, createGraph("gelu", { y: gelu(x) }), feeds);
    expect([...found]).toEqual([NaN, -0, 1e4, 0, -0]);
  });

  it.each([
    [[7, 5, 4], [7, 4, 6], { transposeA: false, transposeB: false }],
    [[7, 4, 5], [1, 4, 6], { transposeA: true, transposeB: false }],
    [[3, 2, 5, 4], [3, 2, 6, 4], { transposeA: false, transposeB: true }],
    [[1, 5, 4], [7, 4, 6], { transposeA: false, transposeB: false }],
    [[3, 1, 5, 4], [1, 2, 4, 6], { transposeA: false, transposeB: false }],
  ])("multiply %j by %j as cpu does", async (left, right, flags) => {
    const graph = createGraph("product", { y: matmul(input("a", left), input("b", right), flags) });
    const feeds = { a: drawn(left, 1), b: drawn(right, 2) };
    expectNear(await result(wasm, graph, feeds), await result(cpu, graph, feeds), 1e-5);
  });

  it.each([
    { what: "strides that leave rows unread", filter: [4, 3, 3, 3], strides: [2, 2], groups: 1 },
    { what: "a stride each way", filter: [4, 3, 2, 3], strides: [3, 1], groups: 1 },
    {
      what: "strides beyond what zeros are put between",
      filter: [4, 3, 4, 4],
      strides: [4, 4],
      groups: 1,
    },
    { what: "each channel by itself", filter: [3, 1, 3, 3], strides: [2, 1], groups: 3 },
    { what: "two filters of each channel", filter: [6, 1, 3, 3], strides: [1, 2], groups: 3 },
  ])("convolve, and back, as cpu does: $what", async ({ filter, strides, groups }) => {
    const [x, w] = [input("x", [2, 3, 10, 11]), input("w", filter)];
    const options = {
      strides: strides as [number, number],
      padding: [1, 0, 1, 2],
      groups,
    } as const;
    const convolved = conv2d(x, w, options);
    const outputs = [sum(mul(convolved, convolved))];
    const found = gradients({ outputs, wrt: [x, w] }).gradients;
    const feeds = { x: drawn([2, 3, 10, 11], 1), w: drawn(filter, 2) };
    for (const [name, y] of Object.entries({ convolved, dx: found[0]!, dw: found[1]! })) {
      const graph = createGraph(name, { y });
      const expected = await result(cpu, graph, feeds);
      const largest = Math.max(...expected.map(Math.abs));
      expectNear(await result(wasm, graph, feeds), expected, 1e-5 * largest);
    }
  });

  it.each(["float32", "int32"] as const)(
    "compare %s with NaN, ties and one number",
    async (dtype) => {
      const values =
        dtype === "float32" ? [NaN, -0, 0, Infinity, 2, -Infinity] : [-3, 0, 1, 2, 2, 9];
      const [a, b] = [input("a", [6], dtype), input("b", [], dtype)];
      const one = hostTensorFrom(dtype, [], [dtype === "float32" ? 0 : 2]);
      const feeds = { a: hostTensorFrom(dtype, [6], values), b: one };
      for (const comparison of [less, lessEqual, equal]) {
        for (const [left, right] of [
          [a, b],
          [b, a],
          [a, a],
        ] as const) {
          const graph = createGraph("compared", { y: cast(comparison(left, right), "int32") });
          const own = right === left ? { a: feeds.a } : feeds;
          expect(await result(wasm, graph, own)).toEqual(await result(cpu, graph, own));
        }
      }
    },
  );

  it("add up columns without losing what is small", async () => {
    const rows = 1 << 16;
    const x = input("x", [rows, 3]);
    const feeds = {
      x: hostTensorFrom("float32", [rows, 3], new Array<number>(3 * rows).fill(0.1)),
    };
    const found = await result(wasm, createGraph("sum", { y: sum(x, { axes: [0] }) }), feeds);
    for (const value of found) expect(Math.abs(value / (rows * 0.1) - 1)).toBeLessThan(1e-7);
  });

  it("refuse an index outside rather than read or write there", async () => {
    const [x, rows] = [input("x", [4, 3]), input("rows", [2], "int32")];
    const cells = input("cells", [2, 3], "int32");
    const taking = createGraph("take", { y: take(x, rows) });
    const adding = createGraph("add", { y: scatterAdd(x, cells, input("more", [2, 3]), 0) });
    for (const bad of [-1, 4]) {
      const feeds = { x: drawn([4, 3], 1) };
      const indices = (shape: readonly number[]): HostTensor =>
        hostTensorFrom("int32", shape, new Array<number>(elementCount(shape)).fill(bad));
      await expect(result(wasm, taking, { ...feeds, rows: indices([2]) })).rejects.toThrow(
        `expected an index in [0, 4), got ${bad}`,
      );
      const more = drawn([2, 3], 2);
      const wrong = result(wasm, adding, { ...feeds, cells: indices([2, 3]), more });
      await expect(wrong).rejects.toThrow(`expected an index in [0, 4), got ${bad}`);
    }
  });
});
