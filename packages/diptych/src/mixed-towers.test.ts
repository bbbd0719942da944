// Any image tower with any text tower, through the registry as a configuration does it.
import {
  buildEncoders,
  ConfigError,
  createConfiguredModel,
  createMultiEncoder,
  equalDims,
  resolveConfig,
  shapeOf,
  ShapeError,
  type BuiltModel,
} from "@diptych/core";
import { installPlugins } from "@diptych/core/plugin";
import { createModifiedResNet, modifiedResNet } from "@diptych/encoders-resnet";
import { bagOfWords, createTextEncoder, textTransformer } from "@diptych/text-transformer";
import { describe, expect, it } from "vitest";
import { defaultPlugins } from "./default-plugins.js";
import { compactResNet, vit } from "./index.js";

const registry = installPlugins(defaultPlugins);
const tokenizer = { vocabSize: 20, contextLength: 6 } as never;

const images = {
  "modified-resnet": modifiedResNet({ imageSize: 32, width: 4, layers: [1, 1, 1, 1] }),
  "frozen modified-resnet": modifiedResNet({
    imageSize: 32,
    width: 4,
    layers: [1, 1, 1, 1],
    norms: "frozen",
  }),
  "compact-resnet": compactResNet({ imageSize: 16, stemWidth: 4, widths: [4, 6] }),
  vit: vit({ imageSize: 16, patchSize: 8, width: 8, heads: 2, layers: 1 }),
};
const small = { width: 8, heads: 2, layers: 1 };
const texts = {
  "text-transformer": textTransformer(small),
  "bidirectional text-transformer": textTransformer({
    ...small,
    attention: "bidirectional",
    pooling: "mean",
  }),
  "bag-of-words": bagOfWords({ width: 8 }),
};

function build(image: object, text: object): BuiltModel {
  const config = resolveConfig(
    {
      model: { embedDim: 12, encoders: { image, text } },
      data: { train: { type: "jsonl", path: "captions.jsonl" } },
    },
    registry,
  );
  return buildEncoders({ ...createConfiguredModel(config.model, { tokenizer }), mode: "train" });
}

describe.each(Object.entries(images))("%s", (_, image) => {
  it.each(Object.entries(texts))("with %s", (__, text) => {
    const { normalized, parameters } = build(image, text);
    for (const modality of ["image", "text"])
      expect(equalDims(shapeOf(normalized[modality]!)[1]!, 12)).toBe(true);
    expect(new Set(parameters.map(({ name }) => name)).size).toBe(parameters.length);
  });
});

describe("towers that do not fit", () => {
  it("names both widths of the joint space", () => {
    const image = createModifiedResNet({ variant: "RN50" }, { embedDim: 1024 });
    const text = createTextEncoder({ vocab: 9, contextLength: 4 }, { embedDim: 512 });
    expect(() => createMultiEncoder({ encoders: { image, text } })).toThrow(ShapeError);
    expect(() => createMultiEncoder({ encoders: { image, text } })).toThrow(
      /image 1024 \(model.encoders.image\), text 512/,
    );
  });

  it("refuses a tower under another modality, and one that is none", () => {
    expect(() => build(textTransformer(small), textTransformer(small))).toThrow(ConfigError);
    expect(() => build({ type: "modified-resnett" }, textTransformer(small))).toThrow(
      /modified-resnet/,
    );
  });

  it("refuses a vocabulary smaller than the tokenizer's", () => {
    expect(() =>
      build(images["modified-resnet"], textTransformer({ ...small, vocab: 10 })),
    ).toThrow(/vocab: expected at least the tokenizer's 20, got 10/);
  });
});
