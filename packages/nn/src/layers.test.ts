import { iota } from "@diptych/core";
import { describe, expect, it } from "vitest";
import { applyActivation } from "./activation.js";
import { buildAttentionPool } from "./attention-pool.js";
import { buildDropout } from "./dropout.js";
import { buildEmbedding } from "./embedding.js";
import { inScope, within } from "./in-scope.js";
import { buildLayerNorm } from "./layer-norm.js";
import { buildMlp } from "./mlp.js";
import { takeTokens } from "./rows.js";
import { difference, inputNumbers, runLayer } from "./run-layer.test-support.js";

// Constants of a graph are float32: 1.702 is the nearest one, and gelu's 1/√2 shows in the eighth digit.
const quickGelu = (x: number): number => x / (1 + Math.exp(-Math.fround(1.702) * x));

describe("layers", () => {
  it("layer norm: (x − mean)/√(variance + ε)·weight + bias", () => {
    const { outputs, values } = runLayer(
      (c, { x }) => buildLayerNorm(inScope(c, "ln"), x!, { epsilon: 0.5 }),
      {
        inputs: { x: { shape: [1, 2], data: [1, 4] } },
      },
    );
    const [w, b] = [values["ln.weight"]!, values["ln.bias"]!];
    const unit = 1.5 / Math.sqrt(2.25 + 0.5);
    expect(
      difference(outputs[0]!.data, [-unit * w[0]! + b[0]!, unit * w[1]! + b[1]!]),
    ).toBeLessThan(1e-14);
  });

  it("mlp: c_proj(activation(c_fc(x)))", () => {
    const { outputs, values } = runLayer(
      (c, { x }) => buildMlp(c, x!, { mlpDim: 3, activation: "quickGelu" }),
      {
        inputs: { x: { shape: [1, 1], data: [2] } },
      },
    );
    const hidden = [0, 1, 2].map((i) =>
      quickGelu(2 * values["c_fc.weight"]![i]! + values["c_fc.bias"]![i]!),
    );
    const expected = hidden.reduce(
      (s, h, i) => s + h * values["c_proj.weight"]![i]!,
      values["c_proj.bias"]![0]!,
    );
    expect(difference(outputs[0]!.data, [expected])).toBeLessThan(1e-14);
  });

  it("activations differ by name", () => {
    const at = (name: "gelu" | "quickGelu" | "geluTanh"): number =>
      runLayer((_, { x }) => applyActivation(name, x!), {
        inputs: { x: { shape: [1], data: [1] } },
      }).outputs[0]!.data[0]!;
    expect(at("gelu")).toBeCloseTo(0.8413447460685429, 7);
    expect(at("quickGelu")).toBeCloseTo(quickGelu(1), 14);
    expect(at("geluTanh")).toBeCloseTo(0.8411919906082768, 7);
  });

  it("embedding: rows of the table", () => {
    const { outputs, values } = runLayer(
      (c, { ids }) => buildEmbedding(c, ids!, { vocab: 3, width: 2 }),
      {
        inputs: { ids: { shape: [2, 2], data: [2, 0, 1, 2], dtype: "int32" } },
      },
    );
    const w = values["weight"]!;
    expect([...outputs[0]!.data]).toEqual([w[4], w[5], w[0], w[1], w[2], w[3], w[4], w[5]]);
  });

  it("takeTokens: one row or several a sample", () => {
    const x = { shape: [2, 3, 1], data: [0, 1, 2, 10, 11, 12] };
    const at = (shape: number[], data: number[]): number[] => [
      ...runLayer((_, { x: value, p }) => takeTokens(value!, p!), {
        inputs: { x, p: { shape, data, dtype: "int32" } },
      }).outputs[0]!.data,
    ];
    expect(at([2], [2, 0])).toEqual([2, 10]);
    expect(at([2, 2], [0, 2, 1, 2])).toEqual([0, 2, 11, 12]);
  });

  it("within: names and origins go one deeper", () => {
    let origin = "";
    runLayer(
      (c) =>
        within(c, "blocks", (inner) => {
          const value = iota(2);
          origin = value.node.origin;
          expect(inner.scope.path).toBe("blocks");
          return value;
        }),
      { inputs: {} },
    );
    expect(origin).toBe("blocks");
  });
});

describe("buildDropout", () => {
  const inputs = { x: { shape: [2, 2], data: [1, 2, 3, 4] } };
  it("multiplies with a mask of its own in training", () => {
    const { outputs, random } = runLayer((c, { x }) => buildDropout(inScope(c, "fc"), x!, 0.5), {
      mode: "train",
      inputs,
      given: { "fc.dropout": [0, 2, 2, 0] },
    });
    expect([...outputs[0]!.data]).toEqual([0, 4, 6, 0]);
    expect(random).toEqual([
      { name: "fc.dropout", shape: [2, 2], distribution: { kind: "dropout", keep: 0.5 } },
    ]);
  });
  it("does nothing in evaluation", () => {
    const { outputs, random } = runLayer((c, { x }) => buildDropout(c, x!, 0.5), { inputs });
    expect([...outputs[0]!.data]).toEqual(inputs.x.data);
    expect(random).toEqual([]);
  });
  it("refuses a rate of 1", () => {
    expect(() => runLayer((c, { x }) => buildDropout(c, x!, 1), { inputs })).toThrow(
      /expected a number in \[0, 1\), got 1/,
    );
  });
});

describe("buildAttentionPool", () => {
  it("attends from the mean over the mean and all places", () => {
    const channels = 4;
    const inputs = { x: [1, channels, 1, 2] };
    const { outputs, values, specs } = runLayer(
      (c, { x }) => {
        const pool = buildAttentionPool(c, x!, { heads: 1, embedDim: 3 });
        return [pool.output, pool.places, pool.probabilities];
      },
      { inputs },
    );
    const x = inputNumbers(inputs)["x"]!.data;
    const places = [0, 1].map((place) => [0, 1, 2, 3].map((c) => x[2 * c + place]!));
    const average = [0, 1, 2, 3].map((c) => (places[0]![c]! + places[1]![c]!) / 2);
    const table = values["positional_embedding"]!;
    const tokens = [average, ...places].map((t, i) =>
      t.map((v, c) => v + table[i * channels + c]!),
    );
    const project = (name: string, t: readonly number[], size = channels): number[] =>
      Array.from({ length: size }, (_, o) =>
        t.reduce(
          (s, v, i) => s + v * values[`${name}.weight`]![o * channels + i]!,
          values[`${name}.bias`]![o]!,
        ),
      );
    const query = project("q_proj", tokens[0]!);
    const powers = tokens.map((t) =>
      Math.exp(
        project("k_proj", t).reduce((s, v, i) => s + v * query[i]!, 0) / Math.sqrt(channels),
      ),
    );
    const total = powers.reduce((a, b) => a + b, 0);
    const attended = [0, 1, 2, 3].map((c) =>
      tokens.reduce((s, t, i) => s + (powers[i]! / total) * project("v_proj", t)[c]!, 0),
    );
    expect(difference(outputs[0]!.data, project("c_proj", attended, 3))).toBeLessThan(1e-13);
    const alone = tokens.slice(1).flatMap((t) => project("c_proj", project("v_proj", t), 3));
    expect(difference(outputs[1]!.data, alone)).toBeLessThan(1e-13);
    expect(outputs[2]!.shape).toEqual([1, 1, 1, 3]);
    const shares = powers.map((power) => power / total);
    expect(difference(outputs[2]!.data, shares)).toBeLessThan(1e-13);
    expect(specs.find(({ name }) => name === "positional_embedding")!.weightDecay).toBe(true);
  });
});
