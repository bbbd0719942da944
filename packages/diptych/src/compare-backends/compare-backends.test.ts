import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeFakeConfig, type FakeConfig } from "../isolated/fake-config.test-support.js";
import { compareBackends, type ComparisonEvent } from "./compare-backends.js";

let fake: FakeConfig;
beforeAll(async () => {
  fake = await writeFakeConfig({ type: "onnx", threads: 1 });
});
afterAll(() => rm(fake.folder, { recursive: true, force: true }));

describe("compareBackends", () => {
  it("runs the same steps on each; those that fail or drift do not end the others", async () => {
    const events: ComparisonEvent[] = [];
    const comparison = await compareBackends({
      config: fake.file,
      steps: 6,
      backends: ["fake:aborts", "onnx", "fake", "fake:wrong", "fake:fails", "fake:missing"],
      on: (event) => events.push(event),
    });
    const { backends } = comparison;
    expect(comparison).toMatchObject({
      reference: "onnx",
      tolerance: 1e-3,
      steps: 6,
      warmup: 2,
      agrees: false,
    });
    const [aborts, onnx, fine, wrong, fails, missing] = backends;
    expect(aborts?.failure).toMatch(/SIGABRT/);
    expect(onnx).toMatchObject({ failure: null, difference: null, ratio: 1 });
    // The configuration's own settings hold where its type is named.
    expect(onnx?.summary?.description).toContain("1 thread");
    expect(onnx?.points.map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(onnx?.stepMs?.count).toBe(4);
    expect(onnx?.summary?.hostPeakBytes).toBeGreaterThan(30e6);
    expect(fine?.failure).toBeNull();
    expect(fine?.difference?.largest).toBeLessThan(1e-3);
    expect(fine?.difference?.largest).toBeGreaterThan(0);
    expect(wrong?.failure).toBeNull();
    expect(wrong?.difference?.largest).toBeGreaterThan(1e-3);
    expect(fails?.failure).toMatch(/fake\/run: memory/);
    expect(fails?.points).toHaveLength(2);
    expect(missing?.failure).toBe("missing: no abacus here. Bring one: fake setup abacus");
    expect(events.filter(({ event }) => event === "failed")).toHaveLength(3);
  }, 60_000);

  it("agrees with itself, bit for bit", async () => {
    const comparison = await compareBackends({
      config: fake.file,
      steps: 3,
      backends: ["onnx", "onnx:threads=1"],
    });
    expect(comparison.agrees).toBe(true);
    expect(comparison.backends[1]?.difference).toEqual({ largest: 0, step: 0 });
  }, 30_000);

  it("tells a slip before anything runs", async () => {
    const compare = (...backends: string[]) => compareBackends({ config: fake.file, backends });
    await expect(compare("onnx:thread=1")).rejects.toThrow(
      /backend\.thread: unknown key\. Did you mean "threads"/,
    );
    await expect(compare("onyx")).rejects.toThrow(/got "onyx"\. Did you mean "onnx"/);
  }, 30_000);
});
