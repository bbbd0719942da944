// The backend's own promises: feeds and their errors, memory, donation, abort. What ops compute is the conformance suite's.
import {
  abs,
  add,
  addDims,
  createGraph,
  exp,
  hostTensorFrom,
  hostValues,
  input,
  isDiptychError,
  matmul,
  mul,
  mulDims,
  neg,
  parameter,
  reshape,
  scalar,
  sub,
  sum,
  symbolDim,
  take,
  transpose,
  withOrigin,
  type Backend,
  type DeviceTensor,
  type Graph,
  type HostTensor,
} from "@diptych/core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createOnnxBackend } from "./onnx-backend.js";

const vector = (...values: number[]): HostTensor =>
  hostTensorFrom("float32", [values.length], values);

async function read(tensor: DeviceTensor | undefined): Promise<number[]> {
  if (!tensor) throw new Error("the output is missing");
  return [...hostValues(await tensor.read())];
}

describe.each(["capi", "binding"] as const)("the backend through %s", (adapter) => {
  let backend: Backend;

  beforeAll(async () => {
    backend = await createOnnxBackend({ adapter, threads: 2 });
  });
  afterEach(() => {
    expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
  });
  afterAll(async () => {
    await backend.dispose();
  });

  /** Runs once on host tensors and reads all outputs. */
  async function runOnce(
    graph: Graph,
    feeds: Record<string, HostTensor>,
  ): Promise<Record<string, number[]>> {
    const executable = await backend.compile(graph);
    const outputs = await executable.run(feeds);
    const values: Record<string, number[]> = {};
    for (const [name, tensor] of Object.entries(outputs)) {
      values[name] = await read(tensor);
      tensor.dispose();
    }
    await executable.dispose();
    return values;
  }

  it("says what it is", () => {
    expect(backend.describe()).toMatch(
      /^onnx: ONNX Runtime \d+\.\d+\.\d+ through .*, cpu, 2 threads$/,
    );
    expect(backend.capabilities.donation).toBe(adapter === "capi");
  });

  it("gives inputs, constants and one value under two names as outputs", async () => {
    const x = input("x", [2]);
    const y = neg(x);
    const graph = createGraph("copies", { x, y, again: y, two: scalar(2) });
    expect(await runOnce(graph, { x: vector(1, 2) })).toEqual({
      x: [1, 2],
      y: [-1, -2],
      again: [-1, -2],
      two: [2],
    });
  });

  it("takes symbols from shapes, also where only a sum tells them", async () => {
    const n = symbolDim("n");
    const x = input("x", [mulDims(2, addDims(n, 1))]);
    const executable = await backend.compile(
      createGraph("open", { y: reshape(x, [2, addDims(n, 1)]) }),
    );
    for (const size of [2, 6]) {
      const { y } = await executable.run({
        x: hostTensorFrom("float32", [size], [1, 2, 3, 4, 5, 6].slice(0, size)),
      });
      expect(y?.shape).toEqual([2, size / 2]);
      y?.dispose();
    }
    await expect(executable.run({ x: vector(1, 2, 3) })).rejects.toThrow(
      'input "x": expected axis 0 to be 2*n+2 for a whole n of at least 0, got 3',
    );
    await executable.dispose();
  });

  it("names what is wrong with feeds", async () => {
    const n = symbolDim("n");
    const [x, y] = [input("pixels", [n, 2]), input("scale", [n])];
    const executable = await backend.compile(createGraph("tower", { a: sum(x), b: neg(y) }));
    const pixels = hostTensorFrom("float32", [2, 2], [1, 2, 3, 4]);
    const cases: readonly [Record<string, HostTensor>, string][] = [
      [{ pixels }, 'expected every input, got none for "scale"'],
      [{ pixels, scale: vector(1, 2), pixel: pixels }, 'got "pixel". Did you mean "pixels"?'],
      [
        { pixels, scale: hostTensorFrom("int32", [2], [1, 2]) },
        'input "scale" of "tower": expected float32, got int32',
      ],
      [{ pixels, scale: vector(1) }, 'input "scale" of "tower": expected [n] with n = 2, got [1]'],
      [
        { pixels: vector(1), scale: vector(1) },
        'input "pixels" of "tower": expected [n, 2], got [1]',
      ],
    ];
    for (const [feeds, message] of cases)
      await expect(executable.run(feeds)).rejects.toThrow(message);
    await executable.dispose();
    await expect(executable.run({ pixels, scale: vector(1, 2) })).rejects.toThrow(
      'executable "tower": expected it live, got it disposed',
    );
  });

  it("leads an error of ONNX Runtime back to the op and its origin", async () => {
    const x = input("x", [2, 2]);
    const indices = input("i", [1], "int32");
    const y = withOrigin("text", () => withOrigin("token_embedding", () => take(x, indices, 0)));
    const executable = await backend.compile(createGraph("lookup", { y }));
    const feeds = {
      x: hostTensorFrom("float32", [2, 2], [1, 2, 3, 4]),
      i: hostTensorFrom("int32", [1], [7]),
    };
    const error = await executable.run(feeds).catch((reason: unknown) => reason);
    expect(isDiptychError(error, "BACKEND")).toBe(true);
    expect(String(error)).toContain("core op take at text/token_embedding");
    await executable.dispose();
  });

  it("copies host feeds before run returns", async () => {
    const x = input("x", [2]);
    const executable = await backend.compile(createGraph("late", { y: neg(x) }));
    const feed = vector(1, 2);
    const running = executable.run({ x: feed });
    feed.data.fill(9);
    const { y } = await running;
    expect(await read(y)).toEqual([-1, -2]);
    y?.dispose();
    await executable.dispose();
  });

  it("reads, writes and counts device tensors", async () => {
    const tensor = await backend.upload(vector(1, 2, 3));
    expect(backend.memory()).toEqual({ tensors: 1, bytes: 12 });
    await tensor.write(vector(4, 5, 6));
    expect(await read(tensor)).toEqual([4, 5, 6]);
    await expect(tensor.write(vector(1))).rejects.toThrow("expected float32[3], got float32[1]");
    tensor.dispose();
    tensor.dispose();
    await expect(tensor.read()).rejects.toThrow(
      "expected a live tensor, got one that was disposed",
    );
  });

  it("lets reads and writes wait for the runs before them", async () => {
    const x = input("x", [2]);
    const executable = await backend.compile(createGraph("order", { y: neg(x) }));
    const fed = await backend.upload(vector(1, 2));
    const running = executable.run({ x: fed });
    await fed.write(vector(8, 9));
    const { y } = await running;
    expect(await read(y)).toEqual([-1, -2]);
    y?.dispose();
    fed.dispose();
    await executable.dispose();
  });

  it("writes outputs into given tensors, also into one that is fed", async () => {
    const x = input("x", [2, 2]);
    // A product cannot be written over its operand: the memory is swapped afterwards.
    const executable = await backend.compile(createGraph("into", { y: matmul(x, x), z: neg(x) }));
    const [state, z] = [
      await backend.upload(hostTensorFrom("float32", [2, 2], [1, 1, 0, 1])),
      await backend.upload(hostTensorFrom("float32", [2, 2], [0, 0, 0, 0])),
    ];
    const first = await executable.run({ x: state }, { into: { y: state, z } });
    expect(first["y"]).toBe(state);
    expect(await read(state)).toEqual([1, 2, 0, 1]);
    expect(await read(z)).toEqual([-1, -1, -0, -1]);
    await expect(executable.run({ x: state }, { into: { y: z, z } })).rejects.toThrow(
      'into "z": expected a tensor of its own',
    );
    await expect(executable.run({ x: state }, { into: { w: z } })).rejects.toThrow('got "w"');
    state.dispose();
    z.dispose();
    await executable.dispose();
  });

  it("spends donated tensors and gives the result of the undonated run", async () => {
    const [w, g] = [parameter("w", [3]), input("g", [3])];
    // `seen` reads w late and is no ancestor of the update.
    const late = exp(neg(exp(abs(neg(g)))));
    const graph = createGraph("update", { "w.new": sub(w, mul(g, 0.5)), seen: add(late, w) });
    const feeds = { w: vector(1, -2, 3), g: vector(2, 2, 2) };
    const expected = await runOnce(graph, feeds);
    const executable = await backend.compile(graph, { donate: { w: "w.new" } });
    const fed = await backend.upload(feeds.w);
    const outputs = await executable.run({ w: fed, g: feeds.g });
    expect(await read(outputs["w.new"])).toEqual(expected["w.new"]);
    expect(await read(outputs["seen"])).toEqual(expected["seen"]);
    await expect(executable.run({ w: fed, g: feeds.g })).rejects.toThrow(
      'input "w": expected a live tensor, got one that was donated. Feed the output that took its memory.',
    );
    fed.dispose();
    for (const tensor of Object.values(outputs)) tensor.dispose();
    await executable.dispose();
  });

  it("keeps apart updates that read one another, and a product added to a donated tensor", async () => {
    const [a, b, x] = [parameter("a", [2, 2]), parameter("b", [2, 2]), input("x", [2, 2])];
    const graph = createGraph("swap", {
      a2: add(a, b),
      b2: sub(b, transpose(a)),
      c2: add(x, matmul(x, a)),
    });
    const feed = (seed: number): HostTensor =>
      hostTensorFrom("float32", [2, 2], [seed, seed + 1, seed + 2, seed * 3]);
    const feeds = { a: feed(1), b: feed(2), x: feed(3) };
    const expected = await runOnce(graph, feeds);
    const executable = await backend.compile(graph, { donate: { a: "a2", b: "b2", x: "c2" } });
    const outputs = await executable.run({
      a: await backend.upload(feeds.a),
      b: await backend.upload(feeds.b),
      x: await backend.upload(feeds.x),
    });
    for (const [name, tensor] of Object.entries(outputs)) {
      expect(await read(tensor), name).toEqual(expected[name]);
      tensor.dispose();
    }
    await executable.dispose();
  });

  it("refuses donations that cannot be", async () => {
    const [w, g] = [parameter("w", [3]), input("g", [2])];
    const graph = createGraph("bad", { y: neg(w), z: neg(g) });
    const compile = (donate: Record<string, string>): Promise<unknown> =>
      backend.compile(graph, { donate });
    await expect(compile({ v: "y" })).rejects.toThrow('expected an input of the graph, got "v"');
    await expect(compile({ w: "z" })).rejects.toThrow(
      `expected output "z" to be of input "w"'s type float32[3], got float32[2]`,
    );
    const same = createGraph("same", { y: add(w, parameter("v", [3])) });
    await expect(backend.compile(same, { donate: { w: "y", v: "y" } })).rejects.toThrow(
      'expected one input for output "y", got "w" and "v"',
    );
  });

  it("leaves fed tensors as they were when a run does not start", async () => {
    const w = parameter("w", [2]);
    const executable = await backend.compile(createGraph("abort", { y: neg(w) }), {
      donate: { w: "y" },
    });
    const fed = await backend.upload(vector(1, 2));
    const aborted = executable.run({ w: fed }, { signal: AbortSignal.abort() });
    await expect(aborted).rejects.toMatchObject({ name: "AbortError" });
    expect(await read(fed)).toEqual([1, 2]);
    fed.dispose();
    await executable.dispose();
  });

  it("refuses tensors of another backend", async () => {
    const other = await createOnnxBackend({ adapter });
    const tensor = await other.upload(vector(1, 2));
    const executable = await backend.compile(createGraph("own", { y: neg(input("x", [2])) }));
    await expect(executable.run({ x: tensor })).rejects.toThrow(
      'input "x": expected a tensor of this backend, got one of another',
    );
    await executable.dispose();
    await other.dispose();
    await expect(other.upload(vector(1))).rejects.toThrow("expected it live, got it disposed");
  });
});

it("ends a run in flight", async () => {
  const backend = await createOnnxBackend({ adapter: "capi", threads: 1 });
  const x = input("x", [700, 700]);
  let y = x;
  for (let i = 0; i < 60; i++) y = matmul(y, x);
  const executable = await backend.compile(createGraph("long", { y }));
  const fed = await backend.upload(
    hostTensorFrom("float32", [700, 700], new Array<number>(490_000).fill(0)),
  );
  const controller = new AbortController();
  const running = executable.run({ x: fed }, { signal: controller.signal });
  setTimeout(() => {
    controller.abort();
  }, 20);
  await expect(running).rejects.toMatchObject({ name: "AbortError" });
  expect(backend.memory().tensors).toBe(1);
  fed.dispose();
  await executable.dispose();
  await backend.dispose();
});
