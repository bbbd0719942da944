/** One configuration, several backends: a run that stops under one goes on under another as if nothing had changed. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { backend, definePlugin } from "@diptych/core/plugin";
import { createReferenceBackend } from "@diptych/core/reference";
import { readJsonlLog } from "@diptych/training";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { describeSwitch } from "./backend-switch.js";
import { writeFakeConfig, type FakeConfig } from "./isolated/fake-config.test-support.js";
import { openConfigFile } from "./load-config.js";
import { train } from "./train.js";

/** As issue and golden runs have it for float32: relative, at each step. */
const TOLERANCE = 1e-3;
const STEPS = 12;
const STOP_AFTER = 5;

const referencePlugin = definePlugin({
  name: "reference",
  contract: 1,
  provides: [
    backend("reference", {
      summary: "float64 on the host",
      schema: z.strictObject({}),
      create: createReferenceBackend,
    }),
  ],
});

let fake: FakeConfig;
let expected: readonly number[];

beforeAll(async () => {
  fake = await writeFakeConfig({ type: "onnx", threads: 1 });
  const out = join(fake.folder, "whole");
  await run(out, ["backend.type=onnx"]);
  expected = losses(out);
});
afterAll(() => rm(fake.folder, { recursive: true, force: true }));

interface RunOptions {
  readonly resume?: boolean;
  readonly stopAfter?: number;
}

/** Trains; gives back what the run said. */
async function run(
  out: string,
  set: readonly string[],
  { resume = false, stopAfter }: RunOptions = {},
): Promise<string> {
  const opened = await openConfigFile(fake.file, {
    set: ["training.ema=0.9", ...set],
    plugins: [referencePlugin],
  });
  const controller = new AbortController();
  const said: string[] = [];
  await train({
    opened,
    out,
    resume,
    signal: controller.signal,
    on: (event) => {
      if (event.event === "message") said.push(event.text);
      if (event.event === "progress" && event.step === stopAfter) controller.abort();
    },
  });
  return said.join("\n");
}

function losses(out: string): readonly number[] {
  return readJsonlLog(join(out, "log.jsonl")).flatMap((record) =>
    record.event === "step" ? [Number(record["loss"])] : [],
  );
}

/** The assignments that choose each backend. */
const BACKENDS: Readonly<Record<string, readonly string[]>> = {
  onnx: ["backend.type=onnx"],
  reference: ["backend.type=reference"],
  cpu: ["backend.type=tfjs", "backend.engine=cpu"],
  wasm: ["backend.type=tfjs", "backend.engine=wasm"],
};

describe("a checkpoint", () => {
  it.each([
    ["onnx", "reference"],
    ["reference", "onnx"],
    ["onnx", "cpu"],
    ["cpu", "onnx"],
    ["onnx", "wasm"],
    ["wasm", "onnx"],
    ["cpu", "wasm"],
  ])(
    "of %s goes on under %s",
    async (first, second) => {
      const out = join(fake.folder, `${first}-${second}`);
      await run(out, BACKENDS[first]!, { stopAfter: STOP_AFTER });
      const stopped = losses(out).length;
      expect(stopped).toBeLessThan(STEPS);
      const said = await run(out, BACKENDS[second]!, { resume: true });
      expect(said).toMatch(/The backend changed from \{ type: [^}]+ \} to \{ type: [^}]+ \}/);
      const curve = losses(out);
      expect(curve).toHaveLength(STEPS);
      for (const [step, loss] of curve.entries()) {
        const relative = Math.abs(loss - expected[step]!) / expected[step]!;
        expect(relative, `step ${step}: ${loss} for ${expected[step]}`).toBeLessThan(TOLERANCE);
      }
      // Learning moved on: a state that was not taken over would begin anew.
      expect(Math.abs(curve[stopped]! - curve[0]!)).toBeGreaterThan(TOLERANCE * curve[0]!);
    },
    60_000,
  );

  it("is not begun in a precision that the backend lacks, which is named", async () => {
    const out = join(fake.folder, "precision");
    const settings = [...BACKENDS["wasm"]!, "training.precision=mixed-bf16"];
    await expect(run(out, settings)).rejects.toThrow(
      /training\.precision: expected one that the backend computes \(fp32\), got mixed-bf16 \(tfjs: .*wasm/,
    );
  });

  it("of the same backend goes on without a word about it", async () => {
    const out = join(fake.folder, "same");
    await run(out, BACKENDS["onnx"]!, { stopAfter: STOP_AFTER });
    const said = await run(out, BACKENDS["onnx"]!, { resume: true });
    expect(said).toContain("Going on from step");
    expect(said).not.toContain("backend");
    expect(losses(out)).toEqual(expected);
  }, 30_000);
});

describe("choosing a backend with --set", () => {
  const opening = (...set: string[]) => openConfigFile(fake.file, { set });

  it("offers the nearest engine, key and type", async () => {
    await expect(opening("backend.type=tfjs", "backend.engine=wsam")).rejects.toThrow(
      /backend\.engine: expected one of .*"wasm".*, got "wsam"\. Did you mean "wasm"\?/,
    );
    await expect(opening("backend.type=tfjs", "backend.engin=wasm")).rejects.toThrow(
      /backend\.engin: unknown key\. Did you mean "engine"\?/,
    );
    await expect(opening("backend.type=tfj")).rejects.toThrow(
      /backend\.type: .*got "tfj"\. Did you mean "tfjs"\?/,
    );
    await expect(opening("backend.type=tfjs", "backend.engine=cuda")).rejects.toThrow(
      /backend\.engine: expected one of .*, got "cuda"$/m,
    );
  });

  it("says which backend a setting belongs to", async () => {
    await expect(opening("backend.engine=wasm")).rejects.toThrow(
      /backend\.engine: unknown key\..* "tfjs" has it: --set backend\.type=tfjs/,
    );
  });
});

describe("describeSwitch", () => {
  it("compares settings, not their order", () => {
    const now = (backend: unknown) => ({ backend });
    const saved = { backend: { type: "onnx", threads: 2 } };
    expect(describeSwitch(saved, now({ threads: 2, type: "onnx" }))).toBeUndefined();
    expect(describeSwitch(saved, now({ type: "onnx" }))).toContain(
      'from { type: "onnx", threads: 2 } to { type: "onnx" }',
    );
    expect(describeSwitch(undefined, now({ type: "onnx" }))).toBeUndefined();
  });
});
