import { describe, expect, it } from "vitest";
import { minimise } from "./lbfgs.js";
import { findStep } from "./line-search.js";

/** Rosenbrock's valley; least at (1, 1, …). */
const rosenbrock = (x: Float64Array) => {
  const gradient = new Float64Array(x.length);
  let value = 0;
  for (let i = 0; i + 1 < x.length; i++) {
    const [a, b] = [x[i] ?? 0, x[i + 1] ?? 0];
    value += 100 * (b - a * a) ** 2 + (1 - a) ** 2;
    gradient[i] = (gradient[i] ?? 0) - 400 * a * (b - a * a) - 2 * (1 - a);
    gradient[i + 1] = (gradient[i + 1] ?? 0) + 200 * (b - a * a);
  }
  return Promise.resolve({ value, gradient });
};

describe("L-BFGS", () => {
  it("finds the end of Rosenbrock's valley", async () => {
    const start = Float64Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? -1.2 : 1));
    const options = { start, objective: rosenbrock, maxIterations: 200, valueTolerance: 0 };
    const found = await minimise({ ...options, tolerance: 1e-8 });
    expect(found.reason).toBe("gradient");
    for (const value of found.x) expect(value).toBeCloseTo(1, 6);
    expect(found.evaluations).toBeLessThan(120);
    const cut = await minimise({ ...options, tolerance: 1e-8, maxIterations: 3 });
    expect(cut).toMatchObject({ reason: "iterations", iterations: 3 });
  });

  it("solves a quadratic of very unequal curvatures", async () => {
    const curvatures = Float64Array.from({ length: 20 }, (_, i) => 10 ** (i / 4));
    const found = await minimise({
      start: new Float64Array(20),
      objective: (x) =>
        Promise.resolve({
          value: x.reduce((sum, xi, i) => sum + 0.5 * (curvatures[i] ?? 0) * (xi - i) ** 2, 0),
          gradient: x.map((xi, i) => (curvatures[i] ?? 0) * (xi - i)),
        }),
      // SciPy's takes 1,084 of them.
      maxIterations: 2000,
      tolerance: 1e-7,
      valueTolerance: 0,
    });
    expect(found.reason).toBe("gradient");
    found.x.forEach((value, i) => {
      expect(value).toBeCloseTo(i, 6);
    });
  });

  it("ends where rounding hides what is left, where nothing can be gained, and by a signal", async () => {
    const rounded = (x: Float64Array) =>
      rosenbrock(x).then(({ value, gradient }) => ({ value: Math.fround(value + 1000), gradient }));
    const options = { start: Float64Array.of(-1.2, 1), maxIterations: 1000, tolerance: 0 };
    const found = await minimise({ ...options, objective: rounded });
    expect(["line", "value"]).toContain(found.reason);
    expect(found.x[0]).toBeCloseTo(1, 1);
    const flat = { value: 1, gradient: Float64Array.of(0, 0) };
    const still = await minimise({ ...options, objective: () => Promise.resolve(flat) });
    expect(still).toMatchObject({ reason: "gradient", iterations: 0 });
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(minimise({ ...options, objective: rosenbrock, signal })).rejects.toThrow("enough");
  });
});

describe("line search", () => {
  // Moré and Thuente's first function: the strong conditions hold only near β.
  const along = (step: number) => ({
    step,
    value: -step / (step ** 2 + 2),
    slope: (step ** 2 - 2) / (step ** 2 + 2) ** 2,
  });
  it.each([1e-3, 0.1, 1, 10, 1000])(
    "meets the strong Wolfe conditions from %s",
    async (firstStep) => {
      const start = along(0);
      const found = await findStep({
        start,
        firstStep,
        at: (step) => Promise.resolve(along(step)),
        curvature: 0.1,
      });
      expect(found?.value).toBeLessThanOrEqual(
        start.value + 1e-4 * (found?.step ?? 0) * start.slope,
      );
      expect(Math.abs(found?.slope ?? NaN)).toBeLessThanOrEqual(0.1 * Math.abs(start.slope));
    },
  );
  it("comes back from where the function has no value", async () => {
    const found = await findStep({
      start: { step: 0, value: 0, slope: -1 },
      firstStep: 8,
      at: (step) =>
        Promise.resolve({ step, value: step > 1 ? NaN : step ** 2 - step, slope: 2 * step - 1 }),
    });
    expect(found?.step).toBeLessThanOrEqual(1);
    expect(found?.value).toBeLessThan(0);
  });
});
