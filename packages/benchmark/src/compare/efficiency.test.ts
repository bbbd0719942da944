import { describe, expect, it } from "vitest";
import type { MethodRun } from "../comparison.js";
import { dataEfficiency } from "./efficiency.js";

const VALUE = "task/top1";
/** A run whose curve goes through [samples, value]. */
const run = (method: string, seed: number, ...points: [number, number][]): MethodRun => ({
  method,
  seed,
  rows: [],
  failed: [],
  folder: "",
  curve: points.map(([samples, value]) => ({
    step: samples,
    samples,
    flops: 0,
    seconds: 0,
    values: { [VALUE]: value, loss: 1 },
  })),
});

describe("data efficiency", () => {
  it("counts pictures on straight lines until the reference's final mean", () => {
    const runs = [
      run("slow", 0, [500, 0.1], [1000, 0.2]),
      run("slow", 1, [500, 0.1], [1000, 0.4]),
      run("fast", 0, [500, 0.6], [1000, 0.9]),
      run("fast", 1, [500, 0.2], [1000, 0.4]),
    ];
    const table = dataEfficiency({ runs, methods: ["slow", "fast"] }, VALUE, "slow");
    expect(table.target).toBeCloseTo(0.3, 12);
    const [slow, fast] = table.methods;
    // One seed of the reference itself ends below the mean of both.
    expect(slow?.samples[0]).toBeNull();
    expect(slow?.samples[1]).toBeCloseTo(500 + (500 * 2) / 3, 9);
    expect(slow?.factor).toBeNull();
    expect(fast?.samples).toEqual([250, 750].map((x) => expect.closeTo(x, 9) as number));
    expect(fast?.factor).toBeCloseTo(2, 12);
  });
  it("passes over points without the value, runs without a curve, and dips", () => {
    const runs = [
      run("a", 0, [100, 0.5]),
      run("b", 0, [50, 0.5], [75, 0.1], [100, 0.9]),
      run("b", 1),
    ];
    const { methods } = dataEfficiency({ runs, methods: ["a", "b", "c"] }, VALUE, "a");
    expect(methods.map(({ mean }) => mean)).toEqual([100, 50, null]);
    expect(methods[1]?.factor).toBe(2);
  });
});
