import { describe, expect, it } from "vitest";
import { drawInitializer } from "./draw.js";
import { constantInit, fixedValues, normal, ones, uniform, zeros } from "./initializers.js";
import { createRandom } from "./prng.js";

describe("drawInitializer", () => {
  const random = createRandom(1);

  it("gives constants", () => {
    expect([...drawInitializer(zeros, [2], random)]).toEqual([0, 0]);
    expect([...drawInitializer(ones, [1, 2], random)]).toEqual([1, 1]);
    expect([...drawInitializer(constantInit(0.5), [], random)]).toEqual([0.5]);
    expect([...drawInitializer(fixedValues(Float32Array.of(1, 2)), [2], random)]).toEqual([1, 2]);
  });

  it("scales and shifts what it draws", () => {
    const drawn = drawInitializer(normal(0.02, 3), [100, 100], createRandom(2));
    const mean = drawn.reduce((a, b) => a + b, 0) / 1e4;
    const deviation = Math.sqrt(drawn.reduce((a, b) => a + (b - mean) ** 2, 0) / 1e4);
    expect(Math.abs(mean - 3)).toBeLessThan(4 * 0.02 * 0.01);
    expect(Math.abs(deviation - 0.02)).toBeLessThan(4 * 0.02 * Math.sqrt(0.5e-4));
    const flat = drawInitializer(uniform(-2, -1), [1000], createRandom(3));
    expect(Math.min(...flat)).toBeGreaterThanOrEqual(-2);
    expect(Math.max(...flat)).toBeLessThan(-1);
    expect(Math.max(...flat) - Math.min(...flat)).toBeGreaterThan(0.98);
  });

  it("does not alias given values", () => {
    const values = Float32Array.of(1);
    drawInitializer(fixedValues(values), [1], random)[0] = 5;
    expect(values[0]).toBe(1);
  });

  it("refuses values of another size", () => {
    expect(() => drawInitializer(fixedValues(new Float32Array(3)), [2], random)).toThrow(
      /expected 2 for \[2\], got 3/,
    );
  });
});
