import { buildEncoders, createConfiguredModel, type Tokenizer } from "@diptych/core";
import { modifiedResNet } from "@diptych/encoders-resnet";
import { vit } from "@diptych/encoders-vit";
import { bagOfWords, textTransformer } from "@diptych/text-transformer";
import { describe, expect, it } from "vitest";
import { describeAsOpenClip, type DescribedModel } from "./describe-as-open-clip.js";
import { openConfig } from "./load-config.js";
import { createOpenClipModel } from "./open-clip-model.js";

const tokenizer = { name: "numbers", vocabSize: 40, contextLength: 9 } as Tokenizer;
const smallVit = { imageSize: 8, patchSize: 4, width: 16, layers: 2, heads: 2 } as const;
const smallText = { width: 16, layers: 1, heads: 4 } as const;

async function modelOf(encoders: Record<string, unknown>, more = {}): Promise<DescribedModel> {
  const opened = await openConfig({
    model: { embedDim: 16, encoders, ...more },
    data: { train: { type: "emoji" } },
  } as never);
  return { opened, model: createConfiguredModel(opened.config.model, { tokenizer }), tokenizer };
}

const parametersOf = (model: DescribedModel["model"]): unknown =>
  buildEncoders({ ...model, mode: "eval" }).parameters.map(({ name, shape }) => [name, shape]);

describe("describeAsOpenClip", () => {
  it.each([
    ["a ViT", { image: vit(smallVit), text: textTransformer(smallText) }],
    [
      "a ViT with everything that open_clip has",
      {
        image: vit({
          ...smallVit,
          mlpDim: 24,
          activation: "geluTanh",
          pooling: "avg",
          normAfterPool: true,
          positions: "sinCos",
          layerScale: 0.1,
          normEpsilon: 1e-6,
          normBefore: false,
        }),
        text: textTransformer({
          ...smallText,
          activation: "geluTanh",
          attention: "bidirectional",
          maskPadding: false,
          pooling: "last",
          projection: "linearBias",
        }),
      },
    ],
    [
      "pooling by attention",
      {
        image: vit({ ...smallVit, pooling: "attention", attentionPool: { queries: 3, heads: 4 } }),
        text: textTransformer({ ...smallText, eosId: 7, projection: "none" }),
      },
    ],
    [
      "a ResNet",
      {
        image: modifiedResNet({ imageSize: 32, width: 8, layers: [1, 2, 1, 1], heads: 8 }),
        text: textTransformer({ ...smallText, activation: "quickGelu" }),
      },
    ],
  ])("says %s so that the same model is built from it", async (_, encoders) => {
    const described = await modelOf(encoders);
    const again = createOpenClipModel(describeAsOpenClip(described));
    expect(parametersOf(again)).toEqual(parametersOf(described.model));
    expect(again.encoders["image"]?.facts).toEqual(described.model.encoders["image"]?.facts);
  });

  it("keeps a bias, and QuickGELU where both towers have it", async () => {
    const described = await modelOf(
      {
        image: vit({ ...smallVit, activation: "quickGelu" }),
        text: textTransformer({ ...smallText, activation: "quickGelu" }),
      },
      { logitBias: -10, logitScale: { initial: 10, max: null } },
    );
    expect(describeAsOpenClip(described)).toMatchObject({
      quick_gelu: true,
      init_logit_bias: -10,
      vision_cfg: { head_width: 8 },
      text_cfg: { context_length: 9, vocab_size: 40 },
    });
  });

  it("leaves out what is open_clip's default, so that readers who know less can read it", async () => {
    const described = await modelOf({ image: vit(smallVit), text: textTransformer(smallText) });
    expect(describeAsOpenClip(described)).toEqual({
      embed_dim: 16,
      quick_gelu: false,
      vision_cfg: { image_size: 8, patch_size: 4, width: 16, layers: 2, head_width: 8 },
      text_cfg: { context_length: 9, vocab_size: 40, width: 16, heads: 4, layers: 1 },
    });
  });

  it("lists everything that open_clip has no words for", async () => {
    const described = await modelOf({
      image: vit({ ...smallVit, activation: "quickGelu" }),
      text: textTransformer({ ...smallText, attention: "bidirectional", pooling: "mean" }),
    });
    expect(() => describeAsOpenClip(described)).toThrow(
      /pooling: open_clip has no mean\n.*maskPadding: .*\n.*activation: .*both towers or in none/,
    );
    const words = await modelOf({ image: vit(smallVit), text: bagOfWords() });
    expect(() => describeAsOpenClip(words)).toThrow(/encoders\.text: .*"bag-of-words"/);
  });
});
