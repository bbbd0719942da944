// One suite for both adapters; what only one can do is in capi-runtime.test.ts.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isDiptychError } from "@diptych/core";
import { createOrtRuntime } from "./ort-runtime.js";
import type { OrtDtype, OrtRuntime, OrtSession } from "./ort-runtime.js";
import { floatTensor, floatsOf, rejection, zeroTensor } from "./runtime.test-support.js";
import { encodeTinyModel } from "./tiny-model.test-support.js";

const addModel = encodeTinyModel({
  nodes: [
    { op: "Add", inputs: ["a", "b"], outputs: ["sum"] },
    { op: "Mul", inputs: ["a", "b"], outputs: ["product"] },
  ],
  inputs: [
    { name: "a", shape: ["n", 3] },
    { name: "b", shape: [1, 3] },
  ],
  outputs: [
    { name: "sum", shape: ["n", 3] },
    { name: "product", shape: ["n", 3] },
  ],
});

describe.each(["capi", "binding"] as const)("createOrtRuntime({ adapter: %j })", (adapter) => {
  let runtime: OrtRuntime;
  let session: OrtSession;

  beforeAll(async () => {
    runtime = await createOrtRuntime({ adapter });
    session = await runtime.createSession(addModel, { label: "add" });
  });
  afterAll(() => runtime.dispose());

  it("says what it is", () => {
    expect(runtime).toMatchObject({ adapter, version: "1.30.0", donation: adapter === "capi" });
    expect(runtime.library).toMatch(/onnxruntime/);
    expect(session.inputNames).toEqual(["a", "b"]);
    expect(session.outputNames).toEqual(["sum", "product"]);
  });

  it("runs into the caller's tensors, for several sizes of an open axis", async () => {
    const b = floatTensor(runtime, [1, 3], [10, 20, 30]);
    for (const n of [1, 2, 5]) {
      const values = Array.from({ length: 3 * n }, (_, index) => index - 1.5);
      const a = floatTensor(runtime, [n, 3], values);
      const sum = runtime.allocate("float32", [n, 3]);
      const product = runtime.allocate("float32", [n, 3]);
      await session.run(new Map([["a", a], ["b", b]]), new Map([["product", product], ["sum", sum]])); // prettier-ignore
      expect(Array.from(floatsOf(sum))).toEqual(
        values.map((value, index) => value + 10 * ((index % 3) + 1)),
      );
      expect(Array.from(floatsOf(product))).toEqual(
        values.map((value, index) => value * 10 * ((index % 3) + 1)),
      );
      for (const tensor of [a, sum, product]) tensor.dispose();
    }
    b.dispose();
  });

  it("computes the outputs that are asked for, also after others were", async () => {
    const inputs = new Map([
      ["a", floatTensor(runtime, [1, 3], [1, 2, 3])],
      ["b", floatTensor(runtime, [1, 3], [4, 5, 6])],
    ]);
    const sum = zeroTensor(runtime, "float32", [1, 3]);
    const product = zeroTensor(runtime, "float32", [1, 3]);
    await session.run(inputs, new Map([["sum", sum], ["product", product]])); // prettier-ignore
    floatsOf(sum).fill(0);
    await session.run(inputs, new Map([["product", product]]));
    expect(Array.from(floatsOf(sum))).toEqual([0, 0, 0]);
    expect(Array.from(floatsOf(product))).toEqual([4, 10, 18]);
    for (const tensor of [...inputs.values(), sum, product]) tensor.dispose();
  });

  it("queues runs that are started together", async () => {
    const b = floatTensor(runtime, [1, 3], [1, 1, 1]);
    const runs = Array.from({ length: 20 }, async (_, index) => {
      const a = floatTensor(runtime, [1, 3], [index, index, index]);
      const sum = runtime.allocate("float32", [1, 3]);
      const done = session.run(new Map([["a", a], ["b", b]]), new Map([["sum", sum]])); // prettier-ignore
      // Disposed while queued: the run still has its memory.
      a.dispose();
      await done;
      const values = Array.from(floatsOf(sum));
      sum.dispose();
      return values;
    });
    expect(await Promise.all(runs)).toEqual(
      Array.from({ length: 20 }, (_, index) => [index + 1, index + 1, index + 1]),
    );
    b.dispose();
  });

  it.each(["float32", "float16", "int32", "bool", "int64", "bfloat16"] as const)(
    "carries %s",
    async (dtype: OrtDtype) => {
      if (adapter === "binding" && dtype === "bfloat16") {
        expect(() => runtime.allocate(dtype, [4])).toThrow(/got bfloat16\. Use the adapter "capi"/);
        return;
      }
      const model = encodeTinyModel({
        nodes: [{ op: "Identity", inputs: ["x"], outputs: ["y"] }],
        inputs: [{ name: "x", shape: [4], dtype }],
        outputs: [{ name: "y", shape: [4], dtype }],
      });
      const copy = await runtime.createSession(model, { label: `copy ${dtype}` });
      const x = zeroTensor(runtime, dtype, [4]);
      x.view().forEach(
        (_, index, bytes) => (bytes[index] = dtype === "bool" ? index % 2 : index + 1),
      );
      const y = zeroTensor(runtime, dtype, [4]);
      await copy.run(new Map([["x", x]]), new Map([["y", y]]));
      expect(Array.from(y.view())).toEqual(Array.from(x.view()));
      await copy.dispose();
      x.dispose();
      y.dispose();
    },
  );

  it("takes scalars and empty tensors", async () => {
    const model = encodeTinyModel({
      nodes: [{ op: "Add", inputs: ["a", "b"], outputs: ["y"] }],
      inputs: [
        { name: "a", shape: ["n", 2] },
        { name: "b", shape: [] },
      ],
      outputs: [{ name: "y", shape: ["n", 2] }],
    });
    const add = await runtime.createSession(model, { label: "scalar" });
    const b = floatTensor(runtime, [], [0.5]);
    for (const n of [0, 2]) {
      const a = floatTensor(
        runtime,
        [n, 2],
        Array.from({ length: 2 * n }, () => 1),
      );
      const y = runtime.allocate("float32", [n, 2]);
      await add.run(new Map([["a", a], ["b", b]]), new Map([["y", y]])); // prettier-ignore
      expect(Array.from(floatsOf(y))).toEqual(Array.from({ length: 2 * n }, () => 1.5));
      a.dispose();
      y.dispose();
    }
    b.dispose();
    await add.dispose();
  });

  describe("refuses, saying what was expected", () => {
    const a = (): ReturnType<typeof floatTensor> => floatTensor(runtime, [1, 3], [1, 2, 3]);
    const sum = (): ReturnType<typeof floatTensor> => runtime.allocate("float32", [1, 3]);
    const run = async (
      inputs: Parameters<OrtSession["run"]>[0],
      outputs: Parameters<OrtSession["run"]>[1],
    ): Promise<string> => rejection(session.run(inputs, outputs));

    it("a wrong shape", async () => {
      const message = await run(new Map([["a", floatTensor(runtime, [2, 4], [])], ["b", a()]]), new Map([["sum", sum()]])); // prettier-ignore
      expect(message).toContain('input "a" of "add": expected float32[?,3], got float32[2,4]');
    });

    it("a wrong dtype", async () => {
      const message = await run(new Map([["a", runtime.allocate("int32", [1, 3])], ["b", a()]]), new Map([["sum", sum()]])); // prettier-ignore
      expect(message).toContain("expected float32[?,3], got int32[1,3]");
    });

    it("an output whose open axis does not fit what is computed", async () => {
      const message = await run(new Map([["a", a()], ["b", a()]]), new Map([["sum", runtime.allocate("float32", [2, 3])]])); // prettier-ignore
      expect(message).toMatch(/backend-onnx\/run: .*"add".*2/s);
    });

    it("a missing input", async () => {
      expect(await run(new Map([["a", a()]]), new Map([["sum", sum()]]))).toContain(
        'expected one named "b", got "a"',
      );
    });

    it("an unknown name", async () => {
      const inputs = new Map([["a", a()], ["b", a()], ["c", a()]]); // prettier-ignore
      expect(await run(inputs, new Map([["sum", sum()]]))).toContain(
        'expected names among "a", "b", got "c"',
      );
      const two = new Map([["a", a()], ["b", a()]]); // prettier-ignore
      expect(await run(two, new Map([["total", sum()]]))).toContain(
        'among "sum", "product", got "total"',
      );
    });

    it("no output, and one tensor under two names", async () => {
      const inputs = new Map([["a", a()], ["b", a()]]); // prettier-ignore
      expect(await run(inputs, new Map())).toContain("expected at least one, got none");
      const both = sum();
      expect(await run(inputs, new Map([["sum", both], ["product", both]]))).toContain("one tensor under two names"); // prettier-ignore
    });

    it("a disposed tensor, and its view", async () => {
      const gone = a();
      gone.dispose();
      gone.dispose();
      expect(() => gone.view()).toThrow("float32[1,3]: expected it live, got it disposed");
      expect(await run(new Map([["a", gone], ["b", a()]]), new Map([["sum", sum()]]))).toContain('tensor "a": expected it live'); // prettier-ignore
    });

    it("a tensor of another runtime", async () => {
      const other = await createOrtRuntime({ adapter });
      const foreign = other.allocate("float32", [1, 3]);
      const message = await run(new Map([["a", foreign], ["b", a()]]), new Map([["sum", sum()]])); // prettier-ignore
      expect(message).toContain('tensor "a": expected one that this runtime allocated');
      await other.dispose();
    });

    it("sizes that are not integers", () => {
      expect(() => runtime.allocate("float32", [2, -1])).toThrow(
        "expected integers of 0 or more, got [2,-1]",
      );
    });

    it("an unknown operator, a model that is none, a type that it does not carry", async () => {
      const unknown = encodeTinyModel({
        nodes: [{ op: "Sqrrt", inputs: ["x"], outputs: ["y"], name: "root" }],
        inputs: [{ name: "x", shape: [1] }],
        outputs: [{ name: "y", shape: [1] }],
      });
      const message = await rejection(runtime.createSession(unknown, { label: "typo" }));
      expect(message).toMatch(
        /^backend-onnx\/createSession: "typo": expected ONNX Runtime to succeed, got .*Sqrrt/,
      );
      const none = await rejection(
        runtime.createSession(Uint8Array.of(1, 2, 3), { label: "none" }),
      );
      expect(none).toMatch(/^backend-onnx\/createSession: "none": .*protobuf/i);
    });
  });

  it("names the node that failed, in the caller's words", async () => {
    // Reshape of 6 elements to [4]: known to fail only when it runs.
    const model = encodeTinyModel({
      nodes: [{ op: "Reshape", inputs: ["x", "shape"], outputs: ["y"], name: "n42" }],
      inputs: [
        { name: "x", shape: ["n"] },
        { name: "shape", shape: [1], dtype: "int64" },
      ],
      outputs: [{ name: "y", shape: ["m"] }],
    });
    const reshape = await runtime.createSession(model, {
      label: "step",
      describeNode: (name) => `reshape of ${name}`,
    });
    const x = floatTensor(runtime, [6], [1, 2, 3, 4, 5, 6]);
    const shape = zeroTensor(runtime, "int64", [1]);
    shape.view()[0] = 4;
    const y = runtime.allocate("float32", [4]);
    const failure = reshape.run(new Map([["x", x], ["shape", shape]]), new Map([["y", y]])); // prettier-ignore
    const error: unknown = await failure.then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(isDiptychError(error, "BACKEND")).toBe(true);
    const { message } = error as Error;
    expect(message).toContain('backend-onnx/run: "step": expected ONNX Runtime to succeed');
    expect(message).toContain('in reshape of n42 (node "n42")');
    expect(message).not.toMatch(/\.(cc|h):\d+/);
    // The session goes on after a failed run.
    shape.view()[0] = 6;
    const good = runtime.allocate("float32", [6]);
    await reshape.run(new Map([["x", x], ["shape", shape]]), new Map([["y", good]])); // prettier-ignore
    expect(Array.from(floatsOf(good))).toEqual([1, 2, 3, 4, 5, 6]);
    await reshape.dispose();
    for (const tensor of [x, shape, y, good]) tensor.dispose();
  });

  it("does not run for a signal that is aborted already", async () => {
    const reason = new Error("enough");
    const inputs = new Map([["a", floatTensor(runtime, [1, 3], [1, 2, 3])], ["b", floatTensor(runtime, [1, 3], [1, 2, 3])]]); // prettier-ignore
    const sum = zeroTensor(runtime, "float32", [1, 3]);
    await expect(
      session.run(inputs, new Map([["sum", sum]]), { signal: AbortSignal.abort(reason) }),
    ).rejects.toMatchObject({
      name: "AbortError",
      cause: reason,
    });
    expect(Array.from(floatsOf(sum))).toEqual([0, 0, 0]);
  });

  it("counts live tensors, pools buffers by size, and frees all when disposed", async () => {
    const own = await createOrtRuntime({ adapter });
    const first = own.allocate("float32", [1000]);
    const second = own.allocate("int64", [3]);
    expect(own.liveTensors()).toEqual({ count: 2, bytes: 4024, pooledBytes: 0 });
    first.dispose();
    first.dispose();
    const { count, bytes, pooledBytes } = own.liveTensors();
    expect({ count, bytes }).toEqual({ count: 1, bytes: 24 });
    expect(pooledBytes).toBeGreaterThanOrEqual(4000);
    // The next tensor of that size takes the same memory.
    const again = own.allocate("float32", [10, 100]);
    expect(own.liveTensors().pooledBytes).toBe(0);
    again.dispose();
    own.trimPool();
    expect(own.liveTensors()).toEqual({ count: 1, bytes: 24, pooledBytes: 0 });
    const left = await own.createSession(addModel, { label: "left" });
    await own.dispose();
    await own.dispose();
    expect(own.liveTensors()).toEqual({ count: 0, bytes: 0, pooledBytes: 0 });
    expect(() => second.view()).toThrow("disposed");
    expect(() => own.allocate("float32", [1])).toThrow("runtime: expected it live");
    expect(await rejection(left.run(new Map(), new Map()))).toContain(
      'session "left": expected it live',
    );
    expect(await rejection(own.createSession(addModel, { label: "late" }))).toContain(
      "expected a live runtime",
    );
  });
});
