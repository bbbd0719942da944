// What only a device shows: bytes that cross the bus, memory given back, a process that ends.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  add,
  createGraph,
  createRandom,
  elementCount,
  gradients,
  hostTensorFrom,
  input,
  inputName,
  matmul,
  mean,
  mul,
  neg,
  parameter,
  relu,
  scalarValue,
  shapeOf,
  staticShape,
  sub,
  symbolDim,
  type Backend,
  type DeviceTensor,
  type Graph,
  type HostTensor,
  type Value,
} from "@diptych/core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOnnxBackend } from "./onnx-backend.js";
import { describeProviderSuite } from "./provider.test-support.js";

/** Momentum on two layers: what a step keeps is given back to it by donation. */
function stepGraph(): Graph {
  const x = input("x", [symbolDim("batch"), 24]);
  const target = input("target", [symbolDim("batch"), 4]);
  const wrt = [parameter("first", [24, 64]), parameter("second", [64, 4])];
  const error = sub(matmul(relu(matmul(x, wrt[0]!)), wrt[1]!), target);
  const found = gradients({ outputs: [mean(mul(error, error))], wrt });
  const outputs: Record<string, Value> = { loss: found.outputs[0]! };
  wrt.forEach((value, i) => {
    const name = inputName(value.node);
    const velocity = parameter(`${name}.velocity`, shapeOf(value));
    const next = add(mul(velocity, 0.9), found.gradients[i]!);
    outputs[`${name}.velocity`] = next;
    outputs[name] = sub(value, mul(next, 0.01));
  });
  return createGraph("step", outputs);
}

function drawn(shape: readonly number[], seed: number, scale = 1): HostTensor {
  const data = new Float32Array(elementCount(shape));
  createRandom(seed).fillNormal(data);
  return hostTensorFrom(
    "float32",
    shape,
    data.map((value) => value * scale),
  );
}

/** A step's tensors on the backend, and a run of it. */
async function openSteps(backend: Backend) {
  const graph = stepGraph();
  const kept = graph.inputs.filter(({ node }) => node.op === "parameter");
  const donate = Object.fromEntries(kept.map(({ node }) => [inputName(node), inputName(node)]));
  const executable = await backend.compile(graph, { donate });
  const state: Record<string, DeviceTensor> = {};
  let stateBytes = 0;
  for (const [i, value] of kept.entries()) {
    const first = drawn(staticShape(shapeOf(value), "steps"), i, 0.2);
    stateBytes += first.data.byteLength;
    state[inputName(value.node)] = await backend.upload(first);
  }
  return {
    stateBytes,
    state,
    async step(batch: number): Promise<number> {
      const feeds = { x: drawn([batch, 24], 50), target: drawn([batch, 4], 51) };
      const { loss, ...next } = await executable.run({ ...feeds, ...state });
      Object.assign(state, next);
      const value = scalarValue(await loss!.read());
      loss!.dispose();
      return value;
    },
    async dispose() {
      for (const tensor of Object.values(state)) tensor.dispose();
      await executable.dispose();
    },
  };
}

const batchBytes = (batch: number): number => batch * (24 + 4) * 4;

await describeProviderSuite("webgpu", () => {
  describe("a device's memory", () => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await createOnnxBackend({ provider: "webgpu" });
    });
    afterAll(() => backend.dispose());

    it("is what the capabilities say", () => {
      const { deviceMemory, donation, emulatedDtypes, dtypes } = backend.capabilities;
      expect({ deviceMemory, donation }).toEqual({ deviceMemory: "device", donation: false });
      expect(emulatedDtypes?.size).toBe(0);
      expect(dtypes.has("bfloat16")).toBe(false);
      expect(backend.describe()).toMatch(
        /^onnx: ONNX Runtime 1\.\d+\.\d+ through its C API, webgpu$/,
      );
    });

    it("gets the weights once and a step's batch; the host gets the loss", async () => {
      const before = backend.transfers!();
      const steps = await openSteps(backend);
      const start = backend.transfers!();
      expect(start.toDevice - before.toDevice).toBe(steps.stateBytes);
      expect(start.toHost).toBe(before.toHost);
      const losses: number[] = [];
      for (let i = 0; i < 12; i++) losses.push(await steps.step(i === 5 ? 3 : 8));
      const after = backend.transfers!();
      expect(after.toDevice - start.toDevice).toBe(11 * batchBytes(8) + batchBytes(3));
      expect(after.toHost - start.toHost).toBe(12 * 4);
      expect(losses.at(-1)).toBeLessThan(losses[0]! / 2);
      // A checkpoint.
      for (const tensor of Object.values(steps.state)) await tensor.read();
      expect(backend.transfers!().toHost - after.toHost).toBe(steps.stateBytes);
      await steps.dispose();
      expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
    });

    it("is as full after hundreds of steps as after the first", async () => {
      const steps = await openSteps(backend);
      await steps.step(8);
      const first = backend.memory();
      const before = process.memoryUsage().rss;
      for (let i = 0; i < 300; i++) await steps.step(8);
      expect(backend.memory()).toEqual(first);
      // A software renderer's buffers are this process's memory; the state's alone would be 10 MB in these steps.
      expect(process.memoryUsage().rss - before).toBeLessThan(64e6);
      await steps.dispose();
      expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
    });

    it("computes what the CPU does", async () => {
      const cpu = await createOnnxBackend({ threads: 2 });
      const [here, there] = [await openSteps(backend), await openSteps(cpu)];
      for (let i = 0; i < 5; i++) {
        const expected = await there.step(8);
        expect(Math.abs((await here.step(8)) - expected)).toBeLessThan(1e-5 * expected);
      }
      expect(cpu.transfers!()).toEqual({ toDevice: 0, toHost: 0 });
      for (const steps of [here, there]) await steps.dispose();
      await cpu.dispose();
    });

    it("holds tensors of every dtype and any length", async () => {
      const flags = hostTensorFrom("bool", [5], [1, 0, 0, 1, 1]);
      const counts = hostTensorFrom("int32", [3], [2 ** 31 - 1, -(2 ** 31), -1]);
      for (const given of [flags, counts, hostTensorFrom("float32", [0, 2], [])]) {
        const tensor = await backend.upload(given);
        expect((await tensor.read()).data).toEqual(given.data);
        tensor.dispose();
      }
      const tensor = await backend.upload(flags);
      await tensor.write(hostTensorFrom("bool", [5], [0, 1, 1, 0, 1]));
      expect(Array.from((await tensor.read()).data)).toEqual([0, 1, 1, 0, 1]);
      tensor.dispose();
    });

    it("reads constants from the device, whichever size is fed", async () => {
      const x = input("x", [symbolDim("n"), 3]);
      const graph = createGraph("constants", { y: neg(matmul(x, parameter("weight", [3, 2]))) });
      const weight = hostTensorFrom("float32", [3, 2], [1, 2, 3, 4, 5, 6]);
      const executable = await backend.compile(graph, { constants: new Map([["weight", weight]]) });
      const before = backend.transfers!().toDevice;
      for (const rows of [1, 0, 2]) {
        const fed = hostTensorFrom("float32", [rows, 3], new Array<number>(rows * 3).fill(1));
        const { y } = await executable.run({ x: fed });
        const expected = Array.from({ length: rows }, () => [-9, -12]).flat();
        expect(Array.from((await y!.read()).data)).toEqual(expected);
        y!.dispose();
      }
      // The weights are there once, and once more for the sizes of which one is 0.
      expect(backend.transfers!().toDevice - before).toBeLessThanOrEqual(3 * 3 * 4 + 6 * 4);
      await executable.dispose();
    });
  });

  describe("a process", () => {
    let script: string;
    beforeAll(async () => {
      script = await bundle("exit-child.test-support.ts");
    });

    it.each(["dispose", "leave", "exit"])("ends well: %s", async (end) => {
      const { stdout } = await promisify(execFile)(process.execPath, [script, end]);
      expect(stdout.trim()).toBe("-1,-2");
    });
  });
});

/** A source file as JavaScript in the package's ignored test-results folder: processes of tests cannot load TypeScript. */
async function bundle(source: string): Promise<string> {
  const outDir = fileURLToPath(new URL("../test-results/children", import.meta.url));
  await build({
    configFile: false,
    logLevel: "error",
    ssr: { noExternal: [/^@diptych\//] },
    resolve: { conditions: ["diptych-source", "node"] },
    build: {
      ssr: fileURLToPath(new URL(source, import.meta.url)),
      outDir,
      rolldownOptions: { output: { entryFileNames: "exit-child.mjs" } },
    },
  });
  return join(outDir, "exit-child.mjs");
}
