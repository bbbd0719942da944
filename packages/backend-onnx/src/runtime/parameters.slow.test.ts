// 600 M parameters as inputs: 2.4 GB bound once, updated in place, never copied.
import { expect, it } from "vitest";
import { createOrtRuntime } from "./ort-runtime.js";
import { floatsOf } from "./runtime.test-support.js";
import { encodeTinyModel } from "./tiny-model.test-support.js";
import type { TinyNode } from "./tiny-model.test-support.js";

it("updates 600 M parameters in 600 tensors in place, within their own memory", async () => {
  const names = Array.from({ length: 600 }, (_, index) => `p${index}`);
  const shape = [1000, 1000];
  const model = encodeTinyModel({
    nodes: names.map((name): TinyNode => ({
      op: "Mul",
      inputs: [name, "scale"],
      outputs: [`${name}_new`],
    })),
    inputs: [...names.map((name) => ({ name, shape })), { name: "scale", shape: [] }],
    outputs: names.map((name) => ({ name: `${name}_new`, shape })),
  });
  const runtime = await createOrtRuntime({ adapter: "capi" });
  const start = process.memoryUsage.rss();
  const session = await runtime.createSession(model, { label: "600 M parameters" });
  const parameters = names.map((name, index) => {
    const tensor = runtime.allocate("float32", shape);
    floatsOf(tensor).fill(index);
    return [name, tensor] as const;
  });
  const scale = runtime.allocate("float32", []);
  floatsOf(scale)[0] = 2;
  const inputs = new Map([...parameters, ["scale", scale] as const]);
  const outputs = new Map(parameters.map(([name, tensor]) => [`${name}_new`, tensor]));
  for (let step = 0; step < 3; step++) await session.run(inputs, outputs);
  parameters.forEach(([, tensor], index) => {
    const values = floatsOf(tensor);
    expect([values[0], values[499_999], values[999_999]]).toEqual([
      8 * index,
      8 * index,
      8 * index,
    ]);
  });
  expect((process.memoryUsage.rss() - start) / 2.4e9).toBeLessThan(1.1);
  await runtime.dispose();
  expect((process.memoryUsage.rss() - start) / 2.4e9).toBeLessThan(0.05);
});

it("carries one tensor of 2.4 GB", async () => {
  const runtime = await createOrtRuntime({ adapter: "capi" });
  const shape = [600_000_000];
  const model = encodeTinyModel({
    nodes: [{ op: "Neg", inputs: ["p"], outputs: ["q"] }],
    inputs: [{ name: "p", shape }],
    outputs: [{ name: "q", shape }],
  });
  const session = await runtime.createSession(model, { label: "one tensor" });
  const parameter = runtime.allocate("float32", shape);
  floatsOf(parameter).fill(1.5);
  await session.run(new Map([["p", parameter]]), new Map([["q", parameter]]));
  expect(floatsOf(parameter).at(-1)).toBe(-1.5);
  await runtime.dispose();
});
