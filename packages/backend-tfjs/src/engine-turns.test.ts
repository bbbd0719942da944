import { add, createGraph, hostTensorFrom, input, matmul, mul, tanh } from "@diptych/core";
import * as core from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTfjsBackend, type TfjsBackend } from "./tfjs-backend.js";

const backends: TfjsBackend[] = [];

beforeAll(async () => {
  for (const engine of ["cpu", "wasm"] as const) backends.push(await createTfjsBackend({ engine }));
});

afterAll(async () => {
  for (const backend of backends) await backend.dispose();
});

test("backends of two engines in one process take turns", async () => {
  const x = input("x", [24, 24]);
  let y = x;
  for (let i = 0; i < 40; i++) y = tanh(matmul(add(mul(y, 0.1), x), y));
  const graph = createGraph("turns", { y });
  const feed = hostTensorFrom(
    "float32",
    [24, 24],
    Array.from({ length: 576 }, (_, i) => Math.sin(i)),
  );
  const executables = await Promise.all(backends.map((backend) => backend.compile(graph)));
  const runs = await Promise.all(
    [0, 1, 0, 1, 1, 0].map((i) =>
      executables[i]!.run({ x: feed }).then(({ y: result }) => result!),
    ),
  );
  const values = await Promise.all(runs.map((result) => result.read()));
  for (const { data } of values) {
    const worst = Math.max(...data.map((value, i) => Math.abs(value - values[0]!.data[i]!)));
    expect(worst).toBeLessThan(1e-5);
  }
  for (const tensor of runs) tensor.dispose();
});

test("another user of TensorFlow.js may take an engine between runs", async () => {
  const x = input("x", [2]);
  const executable = await backends[1]!.compile(createGraph("double", { y: add(x, x) }));
  await core.setBackend("cpu");
  const { y } = await executable.run({ x: hostTensorFrom("float32", [2], [1, 2]) });
  expect((await y!.read()).data).toEqual(Float32Array.of(2, 4));
  expect(core.getBackend()).toBe("wasm");
  y!.dispose();
});

test("a long run on a synchronous engine lets timers fire", async () => {
  const x = input("x", [160, 160]);
  let y = x;
  for (let i = 0; i < 30; i++) y = tanh(matmul(y, x));
  const executable = await backends[0]!.compile(createGraph("long", { y }));
  let ticks = 0;
  const timer = setInterval(() => (ticks += 1), 5);
  const feed = hostTensorFrom("float32", [160, 160], new Float32Array(160 * 160).fill(0.01));
  const run = await executable.run({ x: feed });
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(0);
  run["y"]!.dispose();
});

test("the handlers that Emscripten would install for the whole process are not there", () => {
  const { length } = process
    .listeners("unhandledRejection")
    .filter((listener) => /throw reason/.test(listener.toString()));
  expect(length).toBe(0);
});
