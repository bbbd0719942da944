// The engine's memory never shrinks: what a step leaves behind, packed operands of XNNPACK included, would make it grow.
import {
  add,
  conv2d,
  createGraph,
  createRandom,
  elementCount,
  gelu,
  gradients,
  hostTensorFrom,
  input,
  inputName,
  matmul,
  mean,
  mul,
  parameter,
  reshape,
  shapeOf,
  softmax,
  staticShape,
  sub,
  take,
  transpose,
  type DeviceTensor,
  type Graph,
  type HostTensor,
  type Value,
} from "@diptych/core";
import { backend as currentBackend } from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { createTfjsBackend } from "../tfjs-backend.js";
import type { WasmBackend } from "./wasm-memory.js";

const [batch, width] = [8, 64];

/** Pictures by a convolution, tokens by a table; attention between them, gelu, and plain gradient steps. */
function stepGraph(): Graph {
  const filter = parameter("filter", [width, 3, 3, 3]);
  const table = parameter("table", [500, width]);
  const [inner, outer] = [parameter("inner", [256, width]), parameter("outer", [width, 256])];
  const pictures = input("pictures", [batch, 3, 12, 12]);
  const seen = reshape(conv2d(pictures, filter, { padding: [1, 1, 1, 1] }), [batch, width, 144]);
  const keys = transpose(seen, [0, 2, 1]);
  const tokens = take(table, input("tokens", [batch, 20], "int32"));
  const shares = softmax(matmul(tokens, keys, { transposeB: true }));
  const mixed = add(tokens, matmul(shares, keys));
  const hidden = gelu(matmul(mixed, inner, { transposeB: true }));
  const error = sub(matmul(hidden, outer, { transposeB: true }), 1);
  const wrt = [filter, table, inner, outer];
  const found = gradients({ outputs: [mean(mul(error, error))], wrt });
  const outputs: Record<string, Value> = { loss: found.outputs[0]! };
  wrt.forEach((value, i) => {
    outputs[inputName(value.node)] = sub(value, mul(found.gradients[i]!, 0.01));
  });
  return createGraph("step", outputs);
}

function drawn(shape: readonly number[], seed: number): HostTensor {
  const data = new Float32Array(elementCount(shape));
  createRandom(seed).fillNormal(data);
  return hostTensorFrom("float32", shape, data);
}

it("the memory of wasm does not grow over 200 steps, into given tensors or by donation", async () => {
  const backend = await createTfjsBackend({ engine: "wasm" });
  const heapBytes = (): number =>
    (currentBackend() as unknown as WasmBackend).wasm.HEAPU8.byteLength;
  const graph = stepGraph();
  const kept = graph.inputs.filter(({ node }) => node.op === "parameter");
  const names = kept.map(({ node }) => inputName(node));
  const donating = await backend.compile(graph, {
    donate: Object.fromEntries(names.map((name) => [name, name])),
  });
  const writing = await backend.compile(graph);
  const state: Record<string, DeviceTensor> = {};
  for (const [i, value] of kept.entries())
    state[names[i]!] = await backend.upload(drawn(staticShape(shapeOf(value), "heap"), i));
  const ids = Array.from({ length: batch * 20 }, (_, i) => (i * 37) % 500);
  const feeds = {
    pictures: drawn([batch, 3, 12, 12], 9),
    tokens: hostTensorFrom("int32", [batch, 20], ids),
  };
  const step = async (number: number): Promise<void> => {
    const into = number % 2 === 0 ? { ...state } : {};
    const executable = number % 2 === 0 ? writing : donating;
    const { loss, ...next } = await executable.run({ ...feeds, ...state }, { into });
    Object.assign(state, next);
    loss!.dispose();
  };
  for (let i = 0; i < 20; i++) await step(i);
  const [bytes, usage] = [heapBytes(), backend.engineUsage()];
  for (let i = 0; i < 200; i++) await step(i);
  expect(heapBytes()).toBe(bytes);
  expect(backend.engineUsage()).toEqual(usage);
  for (const tensor of Object.values(state)) tensor.dispose();
  expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
  await backend.dispose();
});
