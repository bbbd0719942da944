import { describe, expect, it } from "vitest";
import { buildMultimodalTransformer } from "./multimodal-transformer.js";
import { difference, runLayer, type LayerCase } from "./run-layer.test-support.js";

const options = { layers: 2, heads: 2, mlpDim: 5 };

function run(
  pairs: "rows" | "all",
  inputs: LayerCase["inputs"],
  given: LayerCase["given"] = {},
): ReturnType<typeof runLayer> {
  return runLayer(
    (c, { x, memory }) =>
      buildMultimodalTransformer(c, { x: x!, memory: memory! }, { ...options, pairs }),
    { inputs, given },
  );
}

const numbers = (count: number, seed: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.sin((i + 1) * seed));
const [texts, tokens, width, images, keys, memoryWidth] = [3, 4, 6, 2, 5, 3];
const x = { shape: [texts, tokens, width], data: numbers(texts * tokens * width, 1.3) };
const memory = {
  shape: [images, keys, memoryWidth],
  data: numbers(images * keys * memoryWidth, 0.7),
};

describe("buildMultimodalTransformer", () => {
  it("gives every text with every picture what it gives them as rows", () => {
    const all = run("all", { x, memory });
    expect(all.outputs[0]!.shape).toEqual([images, texts, tokens, width]);
    const each = tokens * width;
    for (let image = 0; image < images; image++) {
      for (let text = 0; text < texts; text++) {
        const alone = run(
          "rows",
          {
            x: { shape: [1, tokens, width], data: x.data.slice(text * each, (text + 1) * each) },
            memory: {
              shape: [1, keys, memoryWidth],
              data: memory.data.slice(image * keys * memoryWidth, (image + 1) * keys * memoryWidth),
            },
          },
          all.values,
        );
        expect(alone.outputs[0]!.shape).toEqual([1, 1, tokens, width]);
        const start = (image * texts + text) * each;
        const found = all.outputs[0]!.data.slice(start, start + each);
        expect(difference(found, alone.outputs[0]!.data)).toBeLessThan(1e-12);
      }
    }
  });

  it("sees no later place, and every key of the picture", () => {
    const before = run("all", { x, memory });
    const changed = (data: readonly number[], at: number): number[] =>
      data.map((value, i) => (i === at ? value + 1 : value));
    // The last place of the first text.
    const later = { ...x, data: changed(x.data, tokens * width - 1) };
    const after = run("all", { x: later, memory });
    const [a, b] = [before, after].map(({ outputs }) => outputs[0]!.data);
    const last = (tokens - 1) * width;
    expect(difference(a!.slice(0, last), b!.slice(0, last))).toBe(0);
    expect(difference(a!.slice(last, last + width), b!.slice(last, last + width))).toBeGreaterThan(
      0,
    );
    for (let key = 0; key < keys; key++) {
      const other = { ...memory, data: changed(memory.data, key * memoryWidth) };
      const seen = run("all", { x, memory: other }).outputs[0]!.data;
      expect(difference(a!.slice(0, width), seen.slice(0, width))).toBeGreaterThan(0);
    }
  });

  it("has one fused input projection where the picture is as wide, and three where it is not", () => {
    const names = (wide: number): string[] =>
      run("rows", { x: [2, 3, 6], memory: [2, 4, wide] })
        .specs.map(({ name }) => name)
        .filter((name) => name.startsWith("cross_attn.0.attn."));
    expect(names(6)).toEqual([
      "cross_attn.0.attn.in_proj_weight",
      "cross_attn.0.attn.in_proj_bias",
      "cross_attn.0.attn.out_proj.weight",
      "cross_attn.0.attn.out_proj.bias",
    ]);
    expect(names(3).slice(0, 3)).toEqual(
      ["q", "k", "v"].map((part) => `cross_attn.0.attn.${part}_proj_weight`),
    );
  });

  it("refuses rows of different number, no layers, and heads that do not divide the width", () => {
    expect(() => run("rows", { x, memory })).toThrow(/x: expected \[images, tokens, width\]/);
    const build = (changes: object) => () =>
      runLayer(
        (c, inputs) =>
          buildMultimodalTransformer(
            c,
            { x: inputs["x"]!, memory: inputs["memory"]! },
            { ...options, pairs: "all", ...changes },
          ),
        { inputs: { x, memory } },
      );
    expect(build({ layers: 0 })).toThrow(/layers: expected at least 1, got 0/);
    expect(build({ heads: 4 })).toThrow(/heads: expected a divisor of the width 6, got 4/);
  });
});
