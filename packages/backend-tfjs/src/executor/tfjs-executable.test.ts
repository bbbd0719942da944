import {
  add,
  createGraph,
  exp,
  hostTensorFrom,
  input,
  mul,
  parameter,
  type Graph,
  type HostTensor,
} from "@diptych/core";
import { checkDonations } from "@diptych/core/backend";
import { expect, test } from "vitest";
import { bindSteps } from "./bound-plan.js";
import { TfjsDeviceTensor, type LiveTensors } from "./device-tensor.js";
import type { Device } from "./device.js";
import { FakeDevice } from "./fake-device.test-support.js";
import { planGraph } from "./graph-plan.js";
import { runSteps } from "./run-steps.js";
import { SlotValues } from "./slot-values.js";
import { TfjsExecutable } from "./tfjs-executable.js";

const vector = (...values: number[]): HostTensor =>
  hostTensorFrom("float32", [values.length], values);

interface Compiled {
  readonly executable: TfjsExecutable;
  readonly device: FakeDevice;
  readonly live: LiveTensors;
  readonly upload: (tensor: HostTensor) => TfjsDeviceTensor;
}

async function compile(
  graph: Graph,
  {
    device = new FakeDevice(),
    donate = {},
  }: { device?: FakeDevice; donate?: Record<string, string> } = {},
): Promise<Compiled> {
  const live: LiveTensors = new Set();
  const plan = planGraph(graph, new Set());
  const any = device as unknown as Device;
  const residents = new SlotValues(any, plan.slots);
  for (const { slot, value } of plan.constants) residents.set(slot, any.upload(value), true);
  await runSteps(bindSteps(plan.foldSteps, {}), { device: any, values: residents, label: "fold" });
  const executable = new TfjsExecutable({
    graph,
    plan,
    residents,
    device: any,
    live,
    donations: checkDonations(graph, donate, "test"),
    label: graph.name,
    onDispose: () => undefined,
  });
  const upload = (tensor: HostTensor): TfjsDeviceTensor =>
    new TfjsDeviceTensor(tensor, any.upload(tensor), { device: any, live });
  return { executable, device, live, upload };
}

const w = parameter("w", [2]);
const x = input("x", [2]);

test("a donated tensor is freed by its last reader, before what comes after", async () => {
  const graph = createGraph("update", { next: mul(add(w, x), x) });
  const { executable, device, upload } = await compile(graph, { donate: { w: "next" } });
  const fed = upload(vector(1, 2));
  const { next } = await executable.run({ w: fed, x: vector(3, 4) });
  expect((await next!.read()).data).toEqual(Float32Array.of(12, 24));
  expect(device.log.slice(0, 3)).toEqual(["add", "free 0", "mul"]);
  await expect(fed.read()).rejects.toThrow("donated");
});

test("a donated tensor that is fed twice lives to the end of the run", async () => {
  const graph = createGraph("update", { next: mul(add(w, x), x) });
  const { executable, device, upload } = await compile(graph, { donate: { w: "next" } });
  const both = upload(vector(1, 2));
  const { next } = await executable.run({ w: both, x: both });
  expect((await next!.read()).data).toEqual(Float32Array.of(2, 8));
  next!.dispose();
  expect(device.live.size).toBe(0);
});

test("a run that fails names the op, frees what it made, and gives unspent tensors back", async () => {
  const failing = new FakeDevice({
    mul: () => {
      throw new Error("no such luck");
    },
  });
  const v = parameter("v", [2]);
  const graph = createGraph("update", { w: mul(add(w, x), v), v: add(v, x) });
  const { executable, device, upload } = await compile(graph, {
    device: failing,
    donate: { w: "w", v: "v" },
  });
  const [fedW, fedV] = [upload(vector(1, 2)), upload(vector(5, 6))];
  await expect(executable.run({ w: fedW, v: fedV, x: vector(3, 4) })).rejects.toThrow(
    /mul of "update": no such luck/,
  );
  expect((await fedV.read()).data).toEqual(Float32Array.of(5, 6));
  fedV.dispose();
  expect(device.live.size).toBe(0);
});

test("an engine that runs out of memory: the largest tensors are named", async () => {
  const big = input("big", [1 << 20]);
  const outOfMemory = new FakeDevice({
    mul: () => {
      throw new Error("Out of memory");
    },
  });
  const { executable } = await compile(createGraph("large", { y: mul(big, big) }), {
    device: outOfMemory,
  });
  const feed = hostTensorFrom("float32", [1 << 20], new Float32Array(1 << 20));
  await expect(executable.run({ big: feed })).rejects.toThrow(
    /Out of memory.*float32\[1048576\] of mul \(4 MiB\).*smaller batch/,
  );
});

test("what would go beyond an engine's memory is refused before it is tried", async () => {
  const { executable, device } = await compile(createGraph("large", { y: mul(x, x) }), {
    device: new FakeDevice({}, 10),
  });
  await expect(executable.run({ x: vector(1, 2) })).rejects.toThrow(/out of memory/);
  expect(device.log).not.toContain("mul");
});

test("what is derived of a constant is made once, of a feed once a run", async () => {
  const made: string[] = [];
  const deriving = new FakeDevice({
    mul: (call, device) => {
      for (const index of [0, 1])
        call.derive(index, "twice", () => {
          made.push(call.node.inputs[index]!.node.op);
          return device.make([0], [1]);
        });
      return [0, 0];
    },
  });
  const graph = createGraph("derived", { y: mul(mul(x, 3), 3) });
  const { executable, device } = await compile(graph, { device: deriving });
  for (let i = 0; i < 2; i++) (await executable.run({ x: vector(1, 2) }))["y"]!.dispose();
  // 3 stands in the graph twice: building never merges nodes.
  expect(made.filter((op) => op === "constant")).toHaveLength(2);
  expect(made.filter((op) => op === "input")).toHaveLength(2);
  await executable.dispose();
  expect(device.live.size).toBe(0);
});

test("a tensor that is disposed while a run reads it is freed when the run has ended", async () => {
  const fed: TfjsDeviceTensor[] = [];
  const disposing = new FakeDevice({
    exp: () => {
      fed[0]!.dispose();
      return [0, 0];
    },
  });
  const graph = createGraph("g", { y: add(exp(x), x) });
  const { executable, device, upload } = await compile(graph, { device: disposing });
  fed.push(upload(vector(1, 2)));
  const { y } = await executable.run({ x: fed[0]! });
  expect((await y!.read()).data).toEqual(Float32Array.of(1, 2));
  y!.dispose();
  expect(device.live.size).toBe(0);
});

test("another backend's tensor, and one tensor for two outputs, are refused", async () => {
  const first = await compile(createGraph("g", { y: add(x, x), z: mul(x, x) }));
  const other = await compile(createGraph("g", { y: add(x, x) }));
  const foreign = other.upload(vector(1, 2));
  await expect(first.executable.run({ x: foreign })).rejects.toThrow("tensor of this backend");
  const both = first.upload(vector(0, 0));
  const run = first.executable.run({ x: vector(1, 2) }, { into: { y: both, z: both } });
  await expect(run).rejects.toThrow("a tensor of its own");
  await expect(first.executable.run({ X: vector(1, 2) })).rejects.toThrow('"x"');
});
