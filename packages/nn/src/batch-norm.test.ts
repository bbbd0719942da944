import { createParamCollector, createRandomInputs, input, symbolDim, zeros } from "@diptych/core";
import { createFloat64Tensor, evaluateValues } from "@diptych/core/reference";
import { describe, expect, it } from "vitest";
import { buildBatchNorm, type BatchNormMode } from "./batch-norm.js";
import { difference, inputNumbers, runLayer } from "./run-layer.test-support.js";

// Constants of a graph are float32.
const EPSILON = Math.fround(1e-5);

const inputs = { x: [3, 2, 2, 2] };
const x = inputNumbers(inputs)["x"]!.data;
const given = { running_var: [0.5, 2], num_batches_tracked: [4] };

/** The 12 values of a channel. */
const channel = (c: number): number[] => x.filter((_, i) => Math.floor(i / 4) % 2 === c);
const meanOf = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const varianceOf = (values: number[]): number =>
  meanOf(values.map((v) => (v - meanOf(values)) ** 2));

describe("in training", () => {
  const run = runLayer((c, { x: value }) => buildBatchNorm(c, value!), {
    mode: "train",
    inputs,
    given,
  });

  it("normalises with the batch's biased variance", () => {
    const [scale, bias] = [run.values["weight"]!, run.values["bias"]!];
    const expected = x.map((value, i) => {
      const c = Math.floor(i / 4) % 2;
      const values = channel(c);
      return (
        ((value - meanOf(values)) / Math.sqrt(varianceOf(values) + EPSILON)) * scale[c]! + bias[c]!
      );
    });
    expect(difference(run.outputs[0]!.data, expected)).toBeLessThan(1e-13);
  });

  it("moves the running statistics by a tenth, with the unbiased variance", () => {
    const before = run.values["running_mean"]!;
    expect(Object.keys(run.updates).sort()).toEqual([
      "num_batches_tracked",
      "running_mean",
      "running_var",
    ]);
    for (const c of [0, 1]) {
      expect(run.updates["running_mean"]![c]).toBeCloseTo(
        0.9 * before[c]! + 0.1 * meanOf(channel(c)),
        6,
      );
      const unbiased = (varianceOf(channel(c)) * 12) / 11;
      expect(run.updates["running_var"]![c]).toBeCloseTo(
        0.9 * given.running_var[c]! + 0.1 * unbiased,
        6,
      );
    }
    expect(run.updates["num_batches_tracked"]).toEqual([5]);
  });

  it("knows its buffers as buffers", () => {
    expect(run.specs.map(({ name, role }) => [name, role])).toEqual([
      ["weight", "weight"],
      ["bias", "weight"],
      ["running_mean", "buffer"],
      ["running_var", "buffer"],
      ["num_batches_tracked", "buffer"],
    ]);
  });

  it("refuses one value a channel", () => {
    expect(() =>
      runLayer((c, { x: value }) => buildBatchNorm(c, value!), {
        mode: "train",
        inputs: { x: [1, 2, 1, 1] },
      }),
    ).toThrow(/expected more than one value per channel in training, got one/);
  });

  it("counts a symbolic batch when it is bound", () => {
    const collector = createParamCollector();
    const context = { mode: "train" as const, scope: collector.root, random: createRandomInputs() };
    buildBatchNorm(context, input("x", [symbolDim("batch"), 1, 1, 1]));
    const of = (shape: number[], data: number[]) => createFloat64Tensor("float32", shape, data);
    const [updated] = evaluateValues([collector.bufferUpdates().get("running_var")!], {
      x: of([2, 1, 1, 1], [1, 3]),
      running_var: of([1], [0]),
      weight: of([1], [1]),
      bias: of([1], [0]),
    });
    expect(updated!.data[0]).toBeCloseTo(0.1 * 2, 6);
  });
});

describe("from running statistics", () => {
  it.each([
    ["in evaluation", "eval", "batch"],
    ["in training, statistics frozen", "train", "frozenStatistics"],
    ["in training, all frozen", "train", "frozen"],
  ] as const)("%s", (_, mode, norm) => {
    const run = runLayer((c, { x: value }) => buildBatchNorm(c, value!, { mode: norm }), {
      mode,
      inputs,
      given,
    });
    const { weight, bias, running_mean, running_var } = run.values;
    const expected = x.map((value, i) => {
      const c = Math.floor(i / 4) % 2;
      return (
        ((value - running_mean![c]!) / Math.sqrt(running_var![c]! + EPSILON)) * weight![c]! +
        bias![c]!
      );
    });
    expect(difference(run.outputs[0]!.data, expected)).toBeLessThan(1e-13);
    expect(run.updates).toEqual({});
  });

  it("trains weight and bias unless they are frozen too, in either mode of the graph", () => {
    const roles = (mode: "train" | "eval", norm: BatchNormMode): unknown =>
      runLayer((c, { x: value }) => buildBatchNorm(c, value!, { mode: norm, scaleInit: zeros }), {
        mode,
        inputs,
        given,
      }).specs.map(({ role, initializer }) => [role, initializer.kind]);
    for (const mode of ["train", "eval"] as const) {
      expect(roles(mode, "frozenStatistics")).toEqual(roles(mode, "batch"));
      expect(roles(mode, "batch")).toMatchObject([
        ["weight", "zeros"],
        ["weight", "zeros"],
        ["buffer", "zeros"],
        ["buffer", "ones"],
        ["buffer", "zeros"],
      ]);
      // Frozen at 0, a residual branch would be shut for good.
      expect(roles(mode, "frozen")).toMatchObject([
        ["buffer", "ones"],
        ["buffer", "zeros"],
        ["buffer", "zeros"],
        ["buffer", "ones"],
        ["buffer", "zeros"],
      ]);
    }
  });

  it("takes one value a channel when frozen", () => {
    const run = runLayer((c, { x: value }) => buildBatchNorm(c, value!, { mode: "frozen" }), {
      mode: "train",
      inputs: { x: [1, 2, 1, 1] },
      given,
    });
    expect(run.outputs[0]!.data.every(Number.isFinite)).toBe(true);
  });
});
