import {
  symbolDim,
  input,
  createParamCollector,
  createRandomInputs,
  shapeOf,
  ShapeError,
} from "@diptych/core";
import { describe, expect, it } from "vitest";
import { applyLinear, buildLinear, buildProjection, lastSize } from "./linear.js";
import { difference, inputNumbers, runLayer } from "./run-layer.test-support.js";
import { normal } from "@diptych/core";

describe("buildLinear", () => {
  it("is x·Wᵀ + b over the last axis", () => {
    const inputs = { x: [2, 3, 4] };
    const { outputs, values, specs } = runLayer(
      (c, { x }) => buildLinear(c, x!, { outFeatures: 5 }),
      { inputs },
    );
    const x = inputNumbers(inputs)["x"]!.data;
    const [w, b] = [values["weight"]!, values["bias"]!];
    const expected = Array.from({ length: 30 }, (_, at) => {
      const [row, out] = [Math.floor(at / 5), at % 5];
      return [0, 1, 2, 3].reduce((s, i) => s + x[row * 4 + i]! * w[out * 4 + i]!, b[out]!);
    });
    expect(outputs[0]!.shape).toEqual([2, 3, 5]);
    expect(difference(outputs[0]!.data, expected)).toBeLessThan(1e-14);
    expect(specs.map(({ name, shape, weightDecay }) => [name, shape, weightDecay])).toEqual([
      ["weight", [5, 4], true],
      ["bias", [5], false],
    ]);
    expect(specs[0]!.initializer).toEqual({ kind: "uniform", low: -0.5, high: 0.5 });
  });

  it("has no bias when told so, and keeps symbolic axes", () => {
    const collector = createParamCollector();
    const context = { mode: "eval" as const, scope: collector.root, random: createRandomInputs() };
    const y = buildLinear(context, input("x", [symbolDim("batch"), symbolDim("tokens"), 4]), {
      outFeatures: 2,
      bias: false,
    });
    expect(shapeOf(y).map(String)).toHaveLength(3);
    expect(collector.specs().map(({ name }) => name)).toEqual(["weight"]);
  });

  it("names the symbol where the width is none", () => {
    expect(() => lastSize(input("x", [2, symbolDim("width")]), "nn/test")).toThrow(
      /nn\/test: shape: expected numbers, got \[width\]/,
    );
    expect(() => applyLinear(input("x", [2, 3]), input("w", [5, 4]))).toThrow(ShapeError);
    expect(() => applyLinear(input("x", [2, 3]), input("w", [5, 4]))).toThrow(
      /inFeatures is 3 as in x, got 4/,
    );
  });
});

describe("buildProjection", () => {
  it("is x·W under its own name", () => {
    const { outputs, values } = runLayer(
      (c, { x }) => buildProjection(c, x!, { name: "proj", embedDim: 2, init: normal(1) }),
      { inputs: { x: { shape: [1, 2], data: [1, 10] } } },
    );
    const w = values["proj"]!;
    expect(difference(outputs[0]!.data, [w[0]! + 10 * w[2]!, w[1]! + 10 * w[3]!])).toBeLessThan(
      1e-14,
    );
  });
});
