import {
  conv2d,
  createGraph,
  hostTensorFrom,
  input,
  matmul,
  mean,
  parameter,
  transpose,
  type HostTensor,
} from "@diptych/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTfjsBackend, type TfjsBackend } from "./tfjs-backend.js";

let backend: TfjsBackend;
beforeAll(async () => {
  backend = await createTfjsBackend({ engine: "wasm" });
});
afterAll(() => backend.dispose());

function waves(shape: readonly number[]): HostTensor {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return hostTensorFrom(
    "float32",
    shape,
    Array.from({ length: size }, (_, i) => Math.sin(1 + i)),
  );
}

const filter = parameter("filter", [4, 2, 3, 3]);
const matrix = parameter("matrix", [5, 4]);
const pictures = input("pictures", [2, 2, 6, 6]);
const pooled = mean(conv2d(pictures, filter), { axes: [2, 3] });
const graph = createGraph("tower", { y: matmul(pooled, transpose(matrix)) });
const weights = { filter: waves([4, 2, 3, 3]), matrix: waves([5, 4]) };

test("constants give what feeding them gives, run after run, and go with the executable", async () => {
  const before = backend.engineUsage();
  const fed = await backend.compile(graph);
  const bound = await backend.compile(graph, { constants: new Map(Object.entries(weights)) });
  expect(bound.inputNames).toEqual(["pictures"]);
  const feeds = { pictures: waves([2, 2, 6, 6]) };
  const { y: expected } = await fed.run({ ...feeds, ...weights });
  for (let i = 0; i < 3; i++) {
    const { y } = await bound.run(feeds);
    expect((await y!.read()).data).toEqual((await expected!.read()).data);
    y!.dispose();
  }
  expected!.dispose();
  await fed.dispose();
  await bound.dispose();
  // Scalars that lowerings keep for the next graph are all that may be left.
  expect(backend.engineUsage().bytes - before.bytes).toBeLessThan(64);
});

test("constants in fewer bits are a permission: results are those of float32", async () => {
  const constants = new Map(Object.entries(weights));
  const [whole, narrow] = [
    await backend.compile(graph, { constants }),
    await backend.compile(graph, { constants, precision: "int8" }),
  ];
  const feeds = { pictures: waves([2, 2, 6, 6]) };
  const values = await Promise.all(
    [whole, narrow].map(async (e) => (await e.run(feeds))["y"]!.read()),
  );
  expect(values[1]!.data).toEqual(values[0]!.data);
  await whole.dispose();
  await narrow.dispose();
});

test("a constant of another shape is named, and nothing is kept", async () => {
  const before = backend.engineUsage();
  const constants = new Map<string, HostTensor>([["matrix", waves([4, 5])]]);
  await expect(backend.compile(graph, { constants })).rejects.toThrow(
    'constant "matrix" of "tower": expected float32[5, 4], got float32[4, 5]',
  );
  expect(backend.engineUsage()).toEqual(before);
});
