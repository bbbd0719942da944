import { describe, expect, it } from "vitest";
import { difference, runLayer } from "./run-layer.test-support.js";
import { buildTransformer } from "./transformer.js";

const block = [
  "ln_1.weight",
  "ln_1.bias",
  "attn.in_proj_weight",
  "attn.in_proj_bias",
  "attn.out_proj.weight",
  "attn.out_proj.bias",
  "ln_2.weight",
  "ln_2.bias",
  "mlp.c_fc.weight",
  "mlp.c_fc.bias",
  "mlp.c_proj.weight",
  "mlp.c_proj.bias",
];

describe("buildTransformer", () => {
  it("names blocks and inner values", () => {
    let names: string[] = [];
    const { specs } = runLayer(
      (c, { x }) => {
        const { output, intermediates } = buildTransformer(c, x!, {
          layers: 2,
          heads: 2,
          path: "image",
        });
        names = Object.keys(intermediates);
        return output;
      },
      { inputs: { x: [1, 2, 4] } },
    );
    expect(specs.map(({ name }) => name)).toEqual(
      [0, 1].flatMap((i) => block.map((name) => `resblocks.${i}.${name}`)),
    );
    expect(names).toEqual([
      "image/block0",
      "image/block0/attention",
      "image/block1",
      "image/block1/attention",
    ]);
  });

  it("is its input where LayerScale is 0, and declares the gammas", () => {
    const gamma = [0, 0, 0, 0];
    const { outputs, specs, values } = runLayer(
      (c, { x }) => [
        buildTransformer(c, x!, { layers: 1, heads: 2, path: "image", layerScale: 0.1 }).output,
        x!,
      ],
      {
        inputs: { x: [2, 3, 4] },
        given: { "resblocks.0.ls_1.gamma": gamma, "resblocks.0.ls_2.gamma": gamma },
      },
    );
    expect(difference(outputs[0]!.data, outputs[1]!.data)).toBe(0);
    expect(values["resblocks.0.ls_1.gamma"]).toEqual(gamma);
    expect(specs.find(({ name }) => name.endsWith("ls_2.gamma"))!.initializer).toEqual({
      kind: "constant",
      value: 0.1,
    });
  });
});
