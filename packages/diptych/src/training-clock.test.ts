import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StepEvent } from "@diptych/training";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTrainingClock } from "./training-clock.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "diptych-clock-"));
});
afterAll(() => rm(folder, { recursive: true }));

const step = (at: number, stepMs: number, waitMs = 0): StepEvent =>
  ({ event: "step", step: at, stepMs, waitMs }) as StepEvent;

it("adds up steps and their waits", () => {
  const clock = createTrainingClock(join(folder, "none.jsonl"), 0);
  expect(clock.after(step(0, 400, 100))).toBeCloseTo(0.5, 12);
  expect(clock.after(step(1, 250))).toBeCloseTo(0.75, 12);
});

it("goes on from what the log says of the steps before", async () => {
  const log = join(folder, "log.jsonl");
  const records = [
    { ...step(0, 1000), trainingSeconds: 1 },
    { ...step(20, 100, 100), trainingSeconds: 5 },
  ];
  await appendFile(log, records.map((record) => `${JSON.stringify(record)}\n`).join(""));
  // Steps 21 to 24 were not logged.
  const clock = createTrainingClock(log, 25);
  expect(clock.after(step(25, 300))).toBeCloseTo(5 + 4 * 0.2 + 0.3, 12);
});
