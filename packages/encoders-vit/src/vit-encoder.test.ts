import {
  buildEncoders,
  ConfigError,
  countParameters,
  createMultiEncoder,
  createRandom,
  hostTensorFrom,
  initialiseParameters,
  shapeOf,
  formatShape,
  type BuiltModel,
  type Mode,
  type ParameterSpec,
} from "@diptych/core";
import { evaluateValues } from "@diptych/core/reference";
import { describe, expect, it } from "vitest";
import { resolveVit, vit, vitSchema, type VitOptions } from "./config.js";
import { createVitEncoder } from "./vit-encoder.js";

const tiny: VitOptions = { imageSize: 8, patchSize: 4, width: 8, heads: 2, layers: 1 };
const embedDim = 6;

function build(options: VitOptions, mode: Mode = "eval"): BuiltModel {
  const image = createVitEncoder(options, { embedDim });
  return buildEncoders({ ...createMultiEncoder({ encoders: { image } }), mode });
}

const spec = (model: BuiltModel, name: string): ParameterSpec =>
  model.parameters.find((parameter) => parameter.name === `visual.${name}`)!;

/** Pooled features of two pictures from seeded parameters. */
function features(
  options: VitOptions,
  { mode = "eval", feeds = {} }: { mode?: Mode; feeds?: Record<string, number[]> } = {},
): number[] {
  const model = build(options, mode);
  const values = initialiseParameters(model.parameters, createRandom(3));
  const pictures = Float32Array.from({ length: 2 * 3 * 64 }, (_, i) => Math.sin(i * 0.37));
  const [found] = evaluateValues([model.encoded["image"]!.pooled], {
    ...Object.fromEntries(values),
    image: hostTensorFrom("float32", [2, 3, 8, 8], pictures),
    ...Object.fromEntries(
      Object.entries(feeds).map(([name, data]) => [
        name,
        hostTensorFrom("int32", [2, data.length / 2], data),
      ]),
    ),
  });
  return [...found!.data];
}

const largestDifference = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

describe("createVitEncoder", () => {
  it("has open_clip's names and shapes", () => {
    const model = build(tiny);
    const outside = model.parameters.filter(({ name }) => !name.includes("resblocks"));
    expect(outside.map(({ name, shape }) => `${name} ${formatShape(shape)}`)).toEqual([
      "visual.conv1.weight [8, 3, 4, 4]",
      "visual.class_embedding [8]",
      "visual.positional_embedding [5, 8]",
      "visual.ln_pre.weight [8]",
      "visual.ln_pre.bias [8]",
      "visual.ln_post.weight [8]",
      "visual.ln_post.bias [8]",
      "visual.proj [8, 6]",
      "logit_scale []",
    ]);
    expect(formatShape(shapeOf(model.normalized["image"]!))).toBe("[imageBatch, 6]");
  });

  it("counts the parameters of CLIP's image towers", () => {
    const image = createVitEncoder({ variant: "B/32" }, { embedDim: 512 });
    const model = buildEncoders({ ...createMultiEncoder({ encoders: { image } }), mode: "eval" });
    // 151.28 M of ViT-B/32 (open_clip's model_profile.csv) less its text tower; here with the one scale.
    expect(countParameters(model.parameters)).toBe(87_849_216 + 1);
  });

  it("starts as open_clip's and exempts embeddings from decay", () => {
    const model = build(tiny);
    const std = 8 ** -0.5;
    expect(spec(model, "class_embedding")).toMatchObject({
      initializer: { kind: "normal", std },
      weightDecay: false,
    });
    expect(spec(model, "positional_embedding")).toMatchObject({
      initializer: { std },
      weightDecay: false,
    });
    expect(spec(model, "proj")).toMatchObject({ initializer: { std }, weightDecay: true });
    expect(spec(model, "conv1.weight")).toMatchObject({
      initializer: { kind: "uniform", high: 1 / Math.sqrt(48) },
    });
    const block = "transformer.resblocks.0";
    expect(spec(model, `${block}.attn.in_proj_weight`).initializer).toMatchObject({
      high: Math.sqrt(6 / 32),
    });
    expect(spec(model, `${block}.mlp.c_proj.bias`).initializer).toMatchObject({
      high: 1 / Math.sqrt(32),
    });
  });

  it("knows its inputs and facts", () => {
    const encoder = createVitEncoder({ ...tiny, imageSize: [8, 12] }, { embedDim });
    expect(encoder.facts).toMatchObject({
      imageHeight: 8,
      imageWidth: 12,
      gridHeight: 2,
      gridWidth: 3,
    });
    expect(formatShape(encoder.inputs[0]!.shape)).toBe("[imageBatch, 3, 8, 12]");
  });

  it("pools the class token or the mean of the patches, before or after the norm", () => {
    const variants = [
      tiny,
      { ...tiny, pooling: "avg" },
      { ...tiny, pooling: "avg", normAfterPool: true },
    ] as const;
    const found = variants.map((options) => features(options));
    expect(largestDifference(found[0]!, found[1]!)).toBeGreaterThan(1e-3);
    expect(largestDifference(found[1]!, found[2]!)).toBeGreaterThan(1e-3);
    // For one token the order of norm and pooling makes no difference.
    expect(largestDifference(found[0]!, features({ ...tiny, normAfterPool: true }))).toBe(0);
  });

  it("gives tokens and inner values by path", () => {
    const { tokens, intermediates } = build(tiny).encoded["image"]!;
    expect(formatShape(shapeOf(tokens!))).toBe("[imageBatch, 5, 8]");
    expect(formatShape(shapeOf(intermediates["image/block0/attention"]!))).toBe(
      "[imageBatch, 2, 5, 5]",
    );
  });
});

describe("patch dropout", () => {
  const options: VitOptions = { ...tiny, patchDropout: 0.5 };
  it("declares which patches to keep, in training only", () => {
    expect(build(options, "train").randomInputs).toMatchObject([
      { name: "visual.patch_dropout", distribution: { kind: "subset", among: 4 } },
    ]);
    expect(formatShape(build(options, "train").randomInputs[0]!.shape)).toBe("[imageBatch, 2]");
    expect(build(options, "eval").randomInputs).toEqual([]);
  });

  it("sees what it keeps: all patches in another order change nothing, fewer do", () => {
    const whole = features(
      { ...tiny, patchDropout: 0.001 },
      { mode: "train", feeds: { "visual.patch_dropout": [0, 1, 2, 0, 1, 2] } },
    );
    const same = features(
      { ...tiny, patchDropout: 0.001 },
      { mode: "train", feeds: { "visual.patch_dropout": [2, 0, 1, 1, 2, 0] } },
    );
    expect(largestDifference(whole, same)).toBeLessThan(1e-13);
    expect(largestDifference(whole, features(tiny))).toBeGreaterThan(1e-4);
    const other = features(
      { ...tiny, patchDropout: 0.001 },
      { mode: "train", feeds: { "visual.patch_dropout": [0, 1, 3, 0, 1, 3] } },
    );
    expect(largestDifference(whole, other)).toBeGreaterThan(1e-4);
  });
});

describe("configuration", () => {
  it("takes sizes from the variant and single keys", () => {
    expect(resolveVit({ variant: "B/16" })).toMatchObject({
      patchSize: 16,
      width: 768,
      heads: 12,
      mlpDim: 3072,
    });
    expect(resolveVit({ width: 256 })).toMatchObject({
      width: 256,
      heads: 4,
      mlpDim: 1024,
      patchSize: 32,
    });
    expect(vit({ width: 256 })).toEqual({ type: "vit", width: 256 });
  });

  it("teaches which patch sizes and image sizes fit", () => {
    const make = (): unknown =>
      createVitEncoder({ imageSize: 32, patchSize: 7, width: 10, heads: 3 }, { embedDim });
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(
      "patchSize: expected a divisor of the image size 32, got 7. Nearest patch sizes that fit: 4, 8; nearest image sizes for patches of 7: 28, 35.",
    );
    expect(make).toThrow("heads: expected a divisor of the width 10, got 3");
  });

  it("names the two sides of a picture that is no square", () => {
    expect(() => resolveVit({ imageSize: [32, 48], patchSize: 32 })).toThrow(
      /image size 32×48, got 32. Nearest patch sizes that fit: 16; nearest image sizes for patches of 32: 32×32, 32×64/,
    );
  });

  it("refuses unknown keys", () => {
    expect(vitSchema.safeParse({ widht: 3 }).success).toBe(false);
    expect(() => resolveVit({ widht: 3 } as VitOptions)).toThrow(
      /widht: unknown key. Did you mean "width"\?/,
    );
  });
});
