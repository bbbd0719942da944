import { ShapeError } from "@diptych/core";
import { describe, expect, it } from "vitest";
import { buildSelfAttention, type SelfAttentionOptions } from "./multi-head-attention.js";
import { difference, inputNumbers, runLayer, type LayerRun } from "./run-layer.test-support.js";

const [batch, tokens, width, heads] = [2, 3, 8, 2];
const headDim = width / heads;
const inputs = { x: [batch, tokens, width] };
const x = inputNumbers(inputs)["x"]!.data;

/** Attention written out; `sees(b, query, key)` says what is attended to. */
function expectedOf(
  { values }: LayerRun,
  sees: (b: number, query: number, key: number) => boolean,
): { output: number[]; probabilities: number[] } {
  const weight = values["in_proj_weight"]!;
  const bias = values["in_proj_bias"]!;
  const project = (b: number, t: number, row: number): number =>
    Array.from(
      { length: width },
      (_, i) => x[(b * tokens + t) * width + i]! * weight[row * width + i]!,
    ).reduce((a, c) => a + c, bias[row]!);
  const output: number[] = [];
  const probabilities = new Array<number>(batch * heads * tokens * tokens).fill(0);
  for (let b = 0; b < batch; b++)
    for (let q = 0; q < tokens; q++) {
      const joined: number[] = [];
      for (let h = 0; h < heads; h++) {
        const seen = [...Array(tokens).keys()].filter((k) => sees(b, q, k));
        const powers = seen.map((k) => {
          let score = 0;
          for (let d = 0; d < headDim; d++)
            score += project(b, q, h * headDim + d) * project(b, k, width + h * headDim + d);
          return Math.exp(score / Math.sqrt(headDim));
        });
        const total = powers.reduce((a, c) => a + c, 0);
        seen.forEach(
          (k, i) =>
            (probabilities[((b * heads + h) * tokens + q) * tokens + k] = powers[i]! / total),
        );
        for (let d = 0; d < headDim; d++)
          joined.push(
            seen.reduce(
              (s, k, i) => s + (powers[i]! / total) * project(b, k, 2 * width + h * headDim + d),
              0,
            ),
          );
      }
      for (let o = 0; o < width; o++)
        output.push(
          joined.reduce(
            (s, v, i) => s + v * values["out_proj.weight"]![o * width + i]!,
            values["out_proj.bias"]![o]!,
          ),
        );
    }
  return { output, probabilities };
}

function run(
  options: Omit<SelfAttentionOptions, "heads" | "keep">,
  keep?: readonly number[],
): LayerRun {
  const mask = keep ? { keep: { shape: [batch, tokens], data: keep, dtype: "bool" as const } } : {};
  return runLayer(
    (c, { x: value, keep: kept }) => {
      const { output, probabilities } = buildSelfAttention(c, value!, {
        heads,
        ...options,
        ...(kept ? { keep: kept } : {}),
      });
      return [output, probabilities];
    },
    { inputs: { ...inputs, ...mask } },
  );
}

describe("buildSelfAttention", () => {
  const keep = [1, 1, 0, 1, 0, 1];
  it.each([
    ["every token", run({}), () => true],
    ["causal", run({ causal: true }), (_: number, q: number, k: number) => k <= q],
    [
      "kept tokens only",
      run({}, keep),
      (b: number, _: number, k: number) => keep[b * tokens + k] === 1,
    ],
  ] as const)("attends to %s", (_, layer, sees) => {
    const { output, probabilities } = expectedOf(layer, sees);
    expect(layer.outputs[0]!.shape).toEqual([batch, tokens, width]);
    expect(difference(layer.outputs[0]!.data, output)).toBeLessThan(1e-13);
    expect(layer.outputs[1]!.shape).toEqual([batch, heads, tokens, tokens]);
    expect(difference(layer.outputs[1]!.data, probabilities)).toBeLessThan(1e-13);
  });

  it("gives the output bias, and no attention, to a text without tokens", () => {
    const layer = run({}, [0, 0, 0, 1, 1, 1]);
    const bias = layer.values["out_proj.bias"]!;
    expect(
      difference([...layer.outputs[0]!.data].slice(0, 24), [...bias, ...bias, ...bias]),
    ).toBeLessThan(1e-14);
    expect([...layer.outputs[1]!.data].slice(0, 18).every((p) => p === 0)).toBe(true);
  });

  it("starts as PyTorch's MultiheadAttention", () => {
    const { specs } = run({});
    expect(specs.map(({ name, shape, initializer }) => [name, shape, initializer.kind])).toEqual([
      ["in_proj_weight", [24, 8], "uniform"],
      ["in_proj_bias", [24], "zeros"],
      ["out_proj.weight", [8, 8], "uniform"],
      ["out_proj.bias", [8], "zeros"],
    ]);
    expect(specs[0]!.initializer).toMatchObject({ high: Math.sqrt(6 / 32) });
  });

  it("says which heads fit", () => {
    const build = (): unknown =>
      runLayer((c, { x: value }) => buildSelfAttention(c, value!, { heads: 3 }).output, { inputs });
    expect(build).toThrow(ShapeError);
    expect(build).toThrow(/expected a divisor of the width 8, got 3. Use one of 1, 2, 4, 8/);
  });
});
