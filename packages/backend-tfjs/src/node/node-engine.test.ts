// The node engine's own promises; what its ops compute is the conformance suite's.
import {
  add,
  conv2d,
  createGraph,
  hostTensorFrom,
  hostValues,
  input,
  isDiptychError,
  matmul,
  parameter,
  type HostTensor,
} from "@diptych/core";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { whyMissing } from "@diptych/testing";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createTfjsBackend } from "../tfjs-backend.js";
import { loadTfjsNode } from "./load-addon.js";
import { hasBfloat16 } from "./node-engine.js";

afterEach(() => vi.unstubAllEnvs());

it("knows by the processor's flags whether it multiplies bfloat16", () => {
  const flags = (list: string): string => `model name\t: x\nflags\t\t: fpu sse ${list} clzero\n`;
  expect(hasBfloat16(flags("avx512f avx512_bf16"))).toBe(true);
  expect(hasBfloat16(flags("amx_bf16"))).toBe(true);
  expect(hasBfloat16(flags("avx512f avx512_bf16x"))).toBe(false);
  expect(hasBfloat16("")).toBe(false);
});

it("names the folder and the command where tfjs-node is missing", async () => {
  const empty = await mkdtemp(join(tmpdir(), "diptych-native-"));
  vi.stubEnv("DIPTYCH_NATIVE", empty);
  const error: unknown = await loadTfjsNode(true).catch((caught: unknown) => caught);
  expect(isDiptychError(error, "BACKEND")).toBe(true);
  expect(String(error)).toContain(empty);
  expect(String(error)).toMatch(/got neither\. Run `diptych setup tfjs-node-gpu`/);
  await rm(empty, { recursive: true });
});

const missing = await whyMissing(() => createTfjsBackend({ engine: "node" }));

function ramp(shape: readonly number[], from = 0): HostTensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const values = Array.from({ length: size }, (_, i) => ((i + from) % 7) - 3);
  return hostTensorFrom("float32", shape, values);
}

describe.skipIf(missing)(`engine node${missing ? ` (skipped: ${missing})` : ""}`, () => {
  it("shares no memory with feeds: what the caller writes later changes nothing", async () => {
    const backend = await createTfjsBackend({ engine: "node" });
    const data = new Float32Array(64).fill(1);
    const tensor = await backend.upload({ dtype: "float32", shape: [64], data });
    data.fill(9);
    expect([...hostValues(await tensor.read())]).toEqual(new Array(64).fill(1));
    await backend.dispose();
  });

  it("turns a filter once and forgets it with the filter", async () => {
    const backend = await createTfjsBackend({ engine: "node" });
    const before = backend.engineUsage();
    const x = input("x", [1, 2, 4, 4]);
    const filter = parameter("f", [3, 2, 3, 3]);
    const y = add(conv2d(x, filter, {}), conv2d(x, filter, { strides: [1, 1] }));
    const executable = await backend.compile(createGraph("twice", { y }));
    for (let i = 0; i < 3; i++) {
      const run = await executable.run({ x: ramp([1, 2, 4, 4], i), f: ramp([3, 2, 3, 3]) });
      run["y"]?.dispose();
    }
    await executable.dispose();
    expect(backend.engineUsage()).toEqual(before);
    await backend.dispose();
  });

  it("computes in real bfloat16 where it says so", async (context) => {
    const backend = await createTfjsBackend({ engine: "node" });
    context.skip(!backend.capabilities.dtypes.has("bfloat16"), "the processor has no bfloat16");
    const a = input("a", [2, 2], "bfloat16");
    const executable = await backend.compile(createGraph("square", { y: matmul(a, a) }));
    // 1 + 2⁻⁷ squared is 1 + 2⁻⁶ + 2⁻¹⁴, whose last term eight bits cannot hold.
    const step = 1 + 2 ** -7;
    const { y } = await executable.run({
      a: hostTensorFrom("bfloat16", [2, 2], [step, 0, 0, step]),
    });
    expect([...hostValues(await y!.read())]).toEqual([1 + 2 ** -6, 0, 0, 1 + 2 ** -6]);
    await backend.dispose();
  });
});
