import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PID_FILE } from "./fake-backends.fixture.js";
import { writeFakeConfig, type FakeConfig } from "./fake-config.test-support.js";
import { runIsolated } from "./run-isolated.js";

let fake: FakeConfig;
beforeAll(async () => {
  fake = await writeFakeConfig({ type: "fake" });
});
afterAll(() => rm(fake.folder, { recursive: true, force: true }));

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("runIsolated", () => {
  it("ends the process with the signal, and throws its reason", async () => {
    const file = join(fake.folder, "pid");
    process.env[PID_FILE] = file;
    try {
      const controller = new AbortController();
      const work = runIsolated(
        "measure",
        { source: { config: fake.file }, part: { type: "fake", mode: "hangs" } },
        { signal: controller.signal },
      );
      const ended = expect(work).rejects.toThrow("enough");
      while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 20));
      controller.abort(new Error("enough"));
      await ended;
      expect(isRunning(Number(await readFile(file, "utf8")))).toBe(false);
    } finally {
      Reflect.deleteProperty(process.env, PID_FILE);
    }
  });

  it("does not wait for ever", async () => {
    const input = { source: { config: fake.file }, part: { type: "fake", mode: "hangs" } };
    const outcome = await runIsolated("measure", input, { timeoutMs: 1200 });
    expect(outcome).toEqual({ status: "failed", reason: "it gave no answer within 1.2 s" });
  });

  it("gives an error's own words, without a stack where it is meant for people", async () => {
    const outcome = await runIsolated("diagnose", { source: {}, part: { type: "onxx" } });
    expect(outcome).toEqual({
      status: "failed",
      reason: expect.stringMatching(
        /^core\/registry: backend: .*got "onxx"\. Did you mean "onnx"\?/,
      ) as string,
    });
  });
});
