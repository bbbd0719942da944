import { expect, it } from "vitest";
import { createProgressMeter } from "./run-events.js";

it("a step without a loss leaves the mean as it was", () => {
  const meter = createProgressMeter();
  const step = (at: number, loss: number) =>
    meter({ step: at, totalSteps: 9, loss, imagesPerSecond: 10, stepMs: 100, waitMs: 0 });
  expect(step(0, Number.NaN)).toMatchObject({ loss: 0 });
  const fresh = createProgressMeter();
  for (const at of [0, 1]) {
    fresh({ step: at, totalSteps: 9, loss: 3, imagesPerSecond: 10, stepMs: 100, waitMs: 0 });
  }
  const after = fresh({
    step: 2,
    totalSteps: 9,
    loss: Infinity,
    imagesPerSecond: 10,
    stepMs: 100,
    waitMs: 0,
  });
  expect(after).toMatchObject({ step: 3, imagesPerSecond: 10 });
  expect(after.event === "progress" && after.loss).toBeCloseTo(3, 9);
});
