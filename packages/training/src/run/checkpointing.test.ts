import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CheckpointError, isDiptychError, zerosHost } from "@diptych/core";
import { expect, test } from "vitest";
import { tinyStep } from "../trainer/tiny-run.test-support.js";
import type { TrainingState } from "../trainer/training-state.js";
import { createCheckpointer } from "./checkpointing.js";
import { jsonFormat } from "./json-format.test-support.js";
import { temporaryFolder } from "./temporary-folder.test-support.js";

const trainStep = tinyStep();

function stateAt(step: number): TrainingState {
  return {
    tensors: new Map(
      trainStep.state.map(({ name, shape }) => {
        const tensor = zerosHost("float32", shape);
        tensor.data.fill(step);
        return [name, tensor];
      }),
    ),
    metadata: {
      kind: "diptych-training-state",
      version: 1,
      step,
      seed: 0,
      totalSteps: 100,
      optimizer: "adamw",
      precision: "fp32",
      skippedSteps: 0,
      config: { name: "tiny" },
    },
  };
}

function checkpointer(
  folder: string,
  options: Partial<Parameters<typeof createCheckpointer>[0]> = {},
) {
  return createCheckpointer({ folder, format: jsonFormat(), every: 10, ...options });
}

/** As a file system does it: an error with a code. */
function diskFull(): Error {
  return Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
}

test("keeps the last states, finds the newest and reads it whole", async () => {
  const folder = temporaryFolder();
  const saver = checkpointer(folder, { keepLast: 2 });
  expect(await saver.latest(trainStep)).toBeUndefined();
  expect(await saver.openLatest()).toBeUndefined();
  for (const step of [10, 20, 30]) await saver.save(stateAt(step));
  expect(readdirSync(saver.folder).sort()).toEqual(["step-000020", "step-000030"]);
  const found = await saver.latest(trainStep);
  expect(found?.path).toBe(join(folder, "checkpoints", "step-000030"));
  expect(found?.state).toEqual(stateAt(30));
  const reader = await saver.openLatest();
  expect(reader?.metadata["config"]).toEqual({ name: "tiny" });
  await reader?.close();
});

test("saves a step again over what is there", async () => {
  const saver = checkpointer(temporaryFolder());
  await saver.save(stateAt(10));
  await saver.save(stateAt(10));
  expect(readdirSync(saver.folder)).toEqual(["step-000010"]);
  expect((await saver.latest(trainStep))?.state.metadata.step).toBe(10);
});

test("skips broken states with a message", async () => {
  const lines: string[] = [];
  const saver = checkpointer(temporaryFolder(), {
    report: (line) => lines.push(line),
    keepLast: 3,
  });
  for (const step of [10, 20, 30]) await saver.save(stateAt(step));
  writeFileSync(join(saver.folder, "step-000030", "state.json"), '{"tensors": {');
  writeFileSync(join(saver.folder, "step-000020", "state.json"), '{"tensors": {}, "metadata": {}}');
  expect((await saver.latest(trainStep))?.state.metadata.step).toBe(10);
  expect(lines.length).toBe(2);
  expect(lines[0]).toMatch(/step-000030 is skipped: .*expected JSON/);
  expect(lines[1]).toMatch(/step-000020 is skipped: .*state of a training run/);
});

test("a state of another model is skipped with the full list of what differs", async () => {
  const lines: string[] = [];
  const saver = checkpointer(temporaryFolder(), { report: (line) => lines.push(line) });
  const state = stateAt(10);
  const tensors = new Map(state.tensors);
  tensors.delete("text_bias");
  tensors.set("extra", zerosHost("float32", [1]));
  tensors.set("visual.weight", zerosHost("float32", [7]));
  await saver.save({ ...state, tensors });
  expect(await saver.latest(trainStep)).toBeUndefined();
  expect(lines[0]).toMatch(/missing {5}text_bias \[3\]/);
  expect(lines[0]).toMatch(/unexpected {2}extra \[1\]/);
  expect(lines[0]).toMatch(
    /other shape visual\.weight: the run has \[5, 3\], the checkpoint \[7\]/,
  );
});

test("a broken newer state does not push out the good older one", async () => {
  const saver = checkpointer(temporaryFolder(), { keepLast: 1 });
  mkdirSync(join(saver.folder, "step-000090"), { recursive: true });
  await saver.save(stateAt(40));
  expect((await saver.latest(trainStep))?.state.metadata.step).toBe(40);
});

test.each([
  ["the format's own error", () => diskFull()],
  [
    "an error with it as the cause",
    () => new CheckpointError("checkpoints/write: failed", { cause: diskFull() }),
  ],
])("a full disk (%s) leaves the last good state and says so", async (_, failure) => {
  const folder = temporaryFolder();
  await checkpointer(folder).save(stateAt(10));
  const full = checkpointer(folder, {
    format: jsonFormat(() => {
      throw failure();
    }),
  });
  const saving = full.save(stateAt(20));
  await expect(saving).rejects.toThrow(
    /step-000020: expected to write the state, got a full disk \(ENOSPC\)\. The last good state is that of step 10, .*step-000010\. Free some space/,
  );
  await saving.catch((error: unknown) => expect(isDiptychError(error, "TRAINING")).toBe(true));
  expect(readdirSync(full.folder)).toEqual(["step-000010"]);
  expect((await checkpointer(folder).latest(trainStep))?.state).toEqual(stateAt(10));
});

test("what a killed process left is cleared; a state moved aside comes back", async () => {
  const saver = checkpointer(temporaryFolder());
  await saver.save(stateAt(10));
  // Killed between the two renames of saving step 10 again, and while writing step 20.
  renameSync(join(saver.folder, "step-000010"), join(saver.folder, ".step-000010.old"));
  mkdirSync(join(saver.folder, ".step-000020.new"));
  await saver.save(stateAt(30));
  expect(existsSync(join(saver.folder, ".step-000020.new"))).toBe(false);
  expect(readdirSync(saver.folder).sort()).toEqual(["step-000010", "step-000030"]);
});
