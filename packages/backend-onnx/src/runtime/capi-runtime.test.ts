// What only the C API adapter promises: donation, runs off the main thread that can be ended, no leak.
import { readFileSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOrtRuntime } from "./ort-runtime.js";
import type { OrtRuntime, OrtSession, OrtTensor } from "./ort-runtime.js";
import { checkOrtVersion } from "./native-ort.js";
import { floatTensor, floatsOf, rejection, zeroTensor } from "./runtime.test-support.js";
import { selfTestModel } from "./self-test-model.js";
import { encodeTinyModel } from "./tiny-model.test-support.js";
import type { TinyNode } from "./tiny-model.test-support.js";

let runtime: OrtRuntime;
beforeAll(async () => {
  runtime = await createOrtRuntime({ adapter: "capi" });
});
afterAll(() => runtime.dispose());

/** `y = x` multiplied `count` times by the square matrix `w`. */
function matmulChain(size: number, count: number): Uint8Array {
  const nodes = Array.from({ length: count }, (_, index): TinyNode => {
    const output = index === count - 1 ? "y" : `t${index}`;
    return {
      op: "MatMul",
      inputs: [index === 0 ? "x" : `t${index - 1}`, "w"],
      outputs: [output],
      name: `m${index}`,
    };
  });
  const square = (name: string): { name: string; shape: number[] } => ({
    name,
    shape: [size, size],
  });
  return encodeTinyModel({ nodes, inputs: [square("x"), square("w")], outputs: [square("y")] });
}

async function longRun(): Promise<{
  session: OrtSession;
  inputs: Map<string, OrtTensor>;
  outputs: Map<string, OrtTensor>;
}> {
  const size = 768;
  const session = await runtime.createSession(matmulChain(size, 120), { label: "long" });
  const inputs = new Map(
    ["x", "w"].map((name) => [name, zeroTensor(runtime, "float32", [size, size])]),
  );
  const outputs = new Map([["y", runtime.allocate("float32", [size, size])]]);
  return { session, inputs, outputs };
}

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

describe("donation", () => {
  it("updates an input in place", async () => {
    const model = encodeTinyModel({
      nodes: [
        { op: "Mul", inputs: ["g", "rate"], outputs: ["d"] },
        { op: "Sub", inputs: ["w", "d"], outputs: ["w2"] },
      ],
      inputs: [
        { name: "w", shape: [1000] },
        { name: "g", shape: [1000] },
        { name: "rate", shape: [] },
      ],
      outputs: [{ name: "w2", shape: [1000] }],
    });
    const update = await runtime.createSession(model, { label: "update" });
    const ones = Array.from({ length: 1000 }, () => 1);
    const w = floatTensor(runtime, [1000], ones);
    const inputs = new Map([["w", w], ["g", floatTensor(runtime, [1000], ones)], ["rate", floatTensor(runtime, [], [0.25])]]); // prettier-ignore
    const view = w.view();
    for (let step = 0; step < 3; step++) await update.run(inputs, new Map([["w2", w]]));
    expect(floatsOf(w).every((value) => value === 0.25)).toBe(true);
    expect(w.view()).toBe(view);
    await update.dispose();
    for (const tensor of inputs.values()) tensor.dispose();
  });

  it("is refused by the binding, which has none", async () => {
    const other = await createOrtRuntime({ adapter: "binding" });
    const model = encodeTinyModel({
      nodes: [{ op: "Neg", inputs: ["w"], outputs: ["w2"] }],
      inputs: [{ name: "w", shape: [1] }],
      outputs: [{ name: "w2", shape: [1] }],
    });
    const session = await other.createSession(model, { label: "update" });
    const w = floatTensor(other, [1], [3]);
    expect(await rejection(session.run(new Map([["w", w]]), new Map([["w2", w]])))).toContain(
      "has no donation",
    );
    await other.dispose();
  });
});

describe("a long run", () => {
  it("lets timers tick, and ends early when its signal aborts", async () => {
    const { session, inputs, outputs } = await longRun();
    const controller = new AbortController();
    let ticks = 0;
    const timer = setInterval(() => (ticks += 1), 5);
    let started = performance.now();
    await session.run(inputs, outputs);
    const wholeMs = performance.now() - started;
    clearInterval(timer);
    // A blocked main thread would see one.
    expect(ticks).toBeGreaterThan(wholeMs / 50);

    started = performance.now();
    const reason = new Error("Ctrl-C");
    setTimeout(() => controller.abort(reason), wholeMs / 10);
    const failure = session.run(inputs, outputs, { signal: controller.signal });
    await expect(failure).rejects.toMatchObject({ name: "AbortError", cause: reason });
    expect(performance.now() - started).toBeLessThan(0.8 * wholeMs);

    // The session can run again.
    floatsOf(inputs.get("x") as OrtTensor).fill(0);
    floatsOf(outputs.get("y") as OrtTensor).fill(1);
    await session.run(inputs, outputs);
    expect(floatsOf(outputs.get("y") as OrtTensor).every((value) => value === 0)).toBe(true);
    await session.dispose();
    for (const tensor of [...inputs.values(), ...outputs.values()]) tensor.dispose();
  });

  it("is ended and awaited when its session is disposed; runs behind it are refused", async () => {
    const { session, inputs, outputs } = await longRun();
    const inFlight = rejection(session.run(inputs, outputs));
    const queued = rejection(session.run(inputs, outputs));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await session.dispose();
    expect(await inFlight).toContain('"long" was ended before it finished');
    expect(await queued).toContain('session "long": expected it live');
    for (const tensor of [...inputs.values(), ...outputs.values()]) tensor.dispose();
  });

  it("keeps the memory of tensors that are disposed meanwhile", async () => {
    const { session, inputs, outputs } = await longRun();
    const { pooledBytes } = runtime.liveTensors();
    const run = rejection(session.run(inputs, outputs));
    for (const tensor of [...inputs.values(), ...outputs.values()]) tensor.dispose();
    expect(runtime.liveTensors().pooledBytes).toBe(pooledBytes);
    await session.dispose();
    await run;
    expect(runtime.liveTensors().pooledBytes).toBeGreaterThan(pooledBytes);
  });
});

describe("memory", () => {
  it("stays flat over 20,000 runs", async () => {
    const model = encodeTinyModel({
      nodes: [{ op: "Add", inputs: ["a", "b"], outputs: ["y"] }],
      inputs: [
        { name: "a", shape: [256] },
        { name: "b", shape: [256] },
      ],
      outputs: [{ name: "y", shape: [256] }],
    });
    const session = await runtime.createSession(model, { label: "tiny", intraOpThreads: 1 });
    const b = zeroTensor(runtime, "float32", [256]);
    const step = async (): Promise<void> => {
      const a = zeroTensor(runtime, "float32", [256]);
      const y = runtime.allocate("float32", [256]);
      await session.run(new Map([["a", a], ["b", b]]), new Map([["y", y]])); // prettier-ignore
      a.dispose();
      y.dispose();
    };
    for (let run = 0; run < 2000; run++) await step();
    collectGarbage();
    const { count, bytes } = runtime.liveTensors();
    const growth: number[] = [];
    for (let stretch = 0; stretch < 5; stretch++) {
      const start = process.memoryUsage.rss();
      for (let run = 0; run < 4000; run++) await step();
      collectGarbage();
      growth.push(process.memoryUsage.rss() - start);
    }
    const live = runtime.liveTensors();
    await session.dispose();
    b.dispose();
    expect(live).toMatchObject({ count, bytes });
    // A leak grows in every stretch (a tensor of 1 kB a run: 4 MB), what the engine of JavaScript
    // takes for itself comes in one or two of them: the middle one tells them apart.
    expect(growth.sort((a, b) => a - b)[2]).toBeLessThan(1e6);
  });

  it("is given back when sessions and tensors are disposed, and activations exist once", async () => {
    const megabytes = 64;
    const size = (megabytes * 2 ** 20) / 4;
    // Four activations of 64 MB, all alive at the end.
    const model = encodeTinyModel({
      nodes: [
        ...["Neg", "Abs", "Relu", "Exp"].map((op, index): TinyNode => ({
          op,
          inputs: ["x"],
          outputs: [`t${index}`],
        })),
        { op: "Sum", inputs: ["t0", "t1", "t2", "t3"], outputs: ["s"] },
        { op: "ReduceMax", inputs: ["s"], outputs: ["y"], attributes: { keepdims: 0 } },
      ],
      inputs: [{ name: "x", shape: [size] }],
      outputs: [{ name: "y", shape: [] }],
    });
    const own = await createOrtRuntime({ adapter: "capi" });
    const start = process.memoryUsage.rss();
    const usedMegabytes = (): number => (process.memoryUsage.rss() - start) / 2 ** 20;
    const x = zeroTensor(own, "float32", [size]);
    const y = own.allocate("float32", []);
    const measure = async (memoryPattern: boolean): Promise<number> => {
      const session = await own.createSession(model, { label: "activations", memoryPattern });
      for (let run = 0; run < 3; run++) await session.run(new Map([["x", x]]), new Map([["y", y]]));
      const used = usedMegabytes();
      await session.dispose();
      return used;
    };
    const allocatedOneByOne = await measure(false);
    expect(floatsOf(y)[0]).toBe(1);
    expect(allocatedOneByOne).toBeGreaterThan(5 * megabytes);
    // Planned in one block: with the memory of the first, unplanned run kept it would be twice as much.
    expect(await measure(true)).toBeLessThan(1.4 * allocatedOneByOne);
    expect(usedMegabytes()).toBeLessThan(1.5 * megabytes);
    x.dispose();
    own.trimPool();
    expect(usedMegabytes()).toBeLessThan(0.5 * megabytes);
    await own.dispose();
  });

  it("that is dropped without dispose is reported, with the session's label", async () => {
    const lines: string[] = [];
    const own = await createOrtRuntime({ adapter: "capi", log: (line) => lines.push(line) });
    await (async () => {
      await own.createSession(selfTestModel(), { label: "forgotten" });
      own.allocate("int32", [7, 7]);
    })();
    for (let attempt = 0; attempt < 50 && lines.length < 2; attempt++) {
      collectGarbage();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(lines.join("\n")).toMatch(/session "forgotten" was dropped without dispose/);
    expect(lines.join("\n")).toMatch(/tensor int32\[7,7\] was dropped without dispose/);
    await own.dispose();
    expect(own.liveTensors()).toEqual({ count: 0, bytes: 0, pooledBytes: 0 });
  });
});

describe("the library", () => {
  it("is self-tested with a model that computes a + b", async () => {
    const session = await runtime.createSession(selfTestModel(), { label: "self-test" });
    expect(session.inputNames).toEqual(["a", "b"]);
    const y = runtime.allocate("float32", [2]);
    await session.run(new Map([["a", floatTensor(runtime, [2], [1.5, -2])], ["b", floatTensor(runtime, [2], [0.25, 8])]]), new Map([["y", y]])); // prettier-ignore
    expect(Array.from(floatsOf(y))).toEqual([1.75, 6]);
    await session.dispose();
  });

  it("that is no library is refused, and not replaced when the user named it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "diptych-ort-"));
    const library = join(folder, "libonnxruntime.so.1");
    await writeFile(library, "not a library");
    for (const adapter of ["auto", "capi"] as const) {
      const message = await rejection(createOrtRuntime({ adapter, library }));
      expect(message).toContain(`expected ${library} to load`);
      expect(message).toContain("Install onnxruntime-node@1.30.0");
    }
    await rm(folder, { recursive: true });
  });

  it("that is too old is refused, naming both versions", () => {
    expect(() => checkOrtVersion("1.15.1", "/old.so")).toThrow(
      /expected 1\.16 or a later 1\.x, got 1\.15\.1 \(\/old\.so\)/,
    );
    expect(() => checkOrtVersion("2.0.0", "/new.so")).toThrow("got 2.0.0");
    expect(() => checkOrtVersion("1.31.1", "/good.so")).not.toThrow();
  });

  it("is the one that the option or the variable names", async () => {
    const again = await createOrtRuntime({ library: runtime.library });
    expect(again).toMatchObject({ adapter: "capi", library: runtime.library });
    await again.dispose();
  });
});

describe("session options", () => {
  it("reach ONNX Runtime", async () => {
    const folder = await mkdtemp(join(tmpdir(), "diptych-ort-"));
    const options = {
      intraOpThreads: 1,
      graphOptimization: "disable",
      memoryPattern: false,
    } as const;
    const session = await runtime.createSession(selfTestModel(), {
      ...options,
      label: "profiled",
      profile: join(folder, "profile"),
      config: {
        "optimization.disable_specified_optimizers": "CommonSubexpressionElimination",
        "memory.enable_memory_arena_shrinkage": "cpu:0",
      },
    });
    const inputs = new Map(["a", "b"].map((name) => [name, floatTensor(runtime, [2], [1, 2])]));
    await session.run(inputs, new Map([["y", runtime.allocate("float32", [2])]]));
    await session.dispose();
    const [file] = await readdir(folder);
    expect(readFileSync(join(folder, file ?? ""), "utf8")).toContain("Add");
    await rm(folder, { recursive: true });
  });

  it("that ONNX Runtime refuses are named", async () => {
    const message = await rejection(
      runtime.createSession(selfTestModel(), { label: "odd", config: { "": "1" } }),
    );
    expect(message).toMatch(
      /^backend-onnx\/createSession: "odd": expected ONNX Runtime to succeed/,
    );
  });
});
