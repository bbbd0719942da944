import { describe, expect, test } from "vitest";
import { constantSchema, cosineSchema } from "./config.js";
import { createConstant } from "./constant.js";
import { createCosine } from "./cosine.js";

describe("cosine", () => {
  const schedule = createCosine(cosineSchema.parse({ learningRate: 1e-3, warmupSteps: 5 }), {
    totalSteps: 20,
  });

  test("climbs by equal steps to the peak, then falls by half a cosine", () => {
    const rates = Array.from({ length: 20 }, (_, step) => schedule.learningRate(step));
    expect(rates.slice(0, 5)).toEqual([1, 2, 3, 4, 5].map((n) => (1e-3 * n) / 5));
    expect(rates[5]).toBe(1e-3);
    expect(rates[10]).toBeCloseTo(0.5e-3 * (1 + Math.cos(Math.PI / 3)), 15);
    expect(rates[19]).toBeCloseTo(0.5e-3 * (1 + Math.cos((14 / 15) * Math.PI)), 15);
    for (let step = 6; step < 20; step++) expect(rates[step]!).toBeLessThan(rates[step - 1]!);
  });

  test("stays at the final rate from the last step on", () => {
    const floored = createCosine(
      cosineSchema.parse({ learningRate: 1, finalLearningRate: 0.1, warmupFraction: 0.25 }),
      { totalSteps: 8 },
    );
    expect(floored.learningRate(0)).toBe(0.5);
    expect(floored.learningRate(2)).toBe(1);
    expect(floored.learningRate(5)).toBeCloseTo(0.55, 15);
    expect(floored.learningRate(8)).toBe(0.1);
    expect(floored.learningRate(100)).toBe(0.1);
  });

  test("refuses a warm-up longer than the run, both kinds of warm-up, and a final rate above the peak", () => {
    const config = cosineSchema.parse({ warmupSteps: 30 });
    expect(() => createCosine(config, { totalSteps: 20 })).toThrow(/at most all 20 steps, got 30/);
    expect(cosineSchema.safeParse({ warmupSteps: 1, warmupFraction: 0.1 }).success).toBe(false);
    expect(cosineSchema.safeParse({ learningRate: 1, finalLearningRate: 2 }).success).toBe(false);
    expect(cosineSchema.safeParse({ learningRat: 1 }).success).toBe(false);
  });

  test("a run that is all warm-up ends at the peak", () => {
    const all = createCosine(cosineSchema.parse({ learningRate: 1, warmupSteps: 4 }), {
      totalSteps: 4,
    });
    expect(all.learningRate(3)).toBe(1);
  });
});

test("constant climbs and stays", () => {
  const schedule = createConstant(constantSchema.parse({ learningRate: 2, warmupSteps: 2 }), {
    totalSteps: 10,
  });
  expect([0, 1, 2, 9, 50].map((step) => schedule.learningRate(step))).toEqual([1, 2, 2, 2, 2]);
});
