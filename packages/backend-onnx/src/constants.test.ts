// Weights given when a graph is compiled: the same results as feeding them, in float32 and nearly so in int8.
import {
  add,
  BackendError,
  createGraph,
  createRandom,
  hostTensorFrom,
  hostValues,
  input,
  matmul,
  parameter,
  relu,
  symbolDim,
  take,
  type HostTensor,
} from "@diptych/core";
import { createReferenceBackend } from "@diptych/core/reference";
import { afterEach, describe, expect, it } from "vitest";
import { createOnnxBackend, type OnnxBackendOptions } from "./onnx-backend.js";

const [WIDTH, HIDDEN, VOCAB] = [48, 64, 50];
const rows = symbolDim("rows");

/** A lookup, two layers as nn builds them and a bare matrix as open_clip's projections are. */
function towerGraph() {
  const ids = input("ids", [rows], "int32");
  const looked = take(parameter("table", [VOCAB, WIDTH]), ids, 0);
  const hidden = relu(
    add(
      matmul(looked, parameter("fc.weight", [HIDDEN, WIDTH]), { transposeB: true }),
      parameter("fc.bias", [HIDDEN]),
    ),
  );
  return createGraph("tower", { y: matmul(hidden, parameter("proj", [HIDDEN, WIDTH])), hidden });
}

function normal(
  name: string,
  shape: readonly number[],
  scale = 1,
): [string, HostTensor<"float32">] {
  const random = createRandom(7).split(name);
  const size = shape.reduce((count, dim) => count * dim, 1);
  const values = Float32Array.from({ length: size }, () => scale * random.normal());
  return [name, hostTensorFrom("float32", shape, values)];
}

const constants = new Map([
  normal("table", [VOCAB, WIDTH]),
  normal("fc.weight", [HIDDEN, WIDTH], 0.2),
  normal("fc.bias", [HIDDEN]),
  normal("proj", [HIDDEN, WIDTH], 0.2),
  normal("of another tower", [3]),
]);
const ids = (length: number): HostTensor =>
  hostTensorFrom(
    "int32",
    [length],
    Array.from({ length }, (_, i) => (i * 17) % VOCAB),
  );

async function expectedOf(length: number): Promise<Record<string, Float64Array>> {
  const reference = createReferenceBackend();
  const executable = await reference.compile(towerGraph(), { constants });
  expect(executable.inputNames).toEqual(["ids"]);
  const { y, hidden } = await executable.run({ ids: ids(length) });
  return { y: hostValues(await y!.read()), hidden: hostValues(await hidden!.read()) };
}

function distance(a: Float64Array, b: Float64Array): number {
  const largest = b.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0) / largest;
}

let dispose: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of dispose) await end();
  dispose = [];
});

async function createBackend(options: OnnxBackendOptions) {
  const backend = await createOnnxBackend({ threads: 1, ...options });
  dispose.push(() => backend.dispose());
  return backend;
}

describe.each(["capi", "binding"] as const)("constants through %s", (adapter) => {
  it.each([true, false])("give what feeding them gives, prepacked: %s", async (prepack) => {
    const backend = await createBackend({ adapter, prepack });
    const executable = await backend.compile(towerGraph(), { constants });
    expect(executable.inputNames).toEqual(["ids"]);
    for (const length of [1, 5]) {
      const outputs = await executable.run({ ids: ids(length) });
      const expected = await expectedOf(length);
      for (const [name, values] of Object.entries(expected)) {
        const got = hostValues(await outputs[name]!.read());
        expect(distance(got, values), name).toBeLessThan(1e-6);
      }
    }
  });

  it("in int8 are near, and not the same", async () => {
    const backend = await createBackend({ adapter });
    const executable = await backend.compile(towerGraph(), { constants, precision: "int8" });
    for (const length of [1, 5]) {
      const outputs = await executable.run({ ids: ids(length) });
      const expected = await expectedOf(length);
      for (const [name, values] of Object.entries(expected)) {
        const off = distance(hostValues(await outputs[name]!.read()), values);
        expect(off, name).toBeLessThan(0.02);
        expect(off, name).toBeGreaterThan(1e-5);
      }
    }
  });
});

it("refuses constants of another shape, and feeds for constants", async () => {
  const backend = await createBackend({});
  const wrong = new Map([...constants, normal("proj", [WIDTH, HIDDEN])]);
  await expect(backend.compile(towerGraph(), { constants: wrong })).rejects.toThrow(
    /constant "proj" of "tower": expected float32\[64, 48\], got float32\[48, 64\]/,
  );
  const executable = await backend.compile(towerGraph(), { constants });
  const feeds = { ids: ids(2), proj: constants.get("proj")! };
  await expect(executable.run(feeds)).rejects.toThrow(BackendError);
});

it("counts no device memory for constants", async () => {
  const backend = await createBackend({});
  await backend.compile(towerGraph(), { constants, precision: "int8" });
  expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
});

it.each(["capi", "binding"] as const)(
  "reads constants where they lie without prepacking, through %s",
  async (adapter) => {
    const backend = await createBackend({ adapter, prepack: false });
    const table = hostTensorFrom("float32", [2, 3], [1, 2, 3, 4, 5, 6]);
    const graph = createGraph("rows", {
      y: take(parameter("table", [2, 3]), input("ids", [1], "int32"), 0),
    });
    const executable = await backend.compile(graph, { constants: new Map([["table", table]]) });
    const row = async () => {
      const { y } = await executable.run({ ids: hostTensorFrom("int32", [1], [1]) });
      return [...hostValues(await y!.read())];
    };
    expect(await row()).toEqual([4, 5, 6]);
    // Only an array that was not copied shows this.
    table.data[4] = 50;
    expect(await row()).toEqual([4, 50, 6]);
  },
);
