import {
  buildEncoders,
  ConfigError,
  formatShape,
  type BuiltModel,
  type EncoderOutput,
  type Mode,
} from "@diptych/core";
import { describe, expect, it } from "vitest";
import { openClipConfigs } from "./open-clip-configs.js";
import { createOpenClipModel } from "./open-clip-model.js";

const vision = { layers: 1, width: 16, head_width: 8, patch_size: 8, image_size: 16 };
const text = { context_length: 6, vocab_size: 20, width: 8, heads: 2, layers: 1 };

interface Changes {
  readonly top?: object;
  readonly vision?: object;
  readonly text?: object;
}

const configOf = (changes: Changes = {}): object => ({
  embed_dim: 12,
  ...changes.top,
  vision_cfg: { ...vision, ...changes.vision },
  text_cfg: { ...text, ...changes.text },
});

function build(changes: Changes = {}, mode: Mode = "eval"): BuiltModel {
  return buildEncoders({ ...createOpenClipModel(configOf(changes)), mode });
}

const shapes = (changes: Changes): Readonly<Record<string, string>> =>
  Object.fromEntries(
    build(changes).parameters.map(({ name, shape }) => [name, formatShape(shape)]),
  );

/** Ops that a modality's features are computed with. */
function opsOf(changes: Changes, modality: string): Set<string> {
  const ops = new Set<string>();
  const { pooled } = build(changes).encoded[modality] as EncoderOutput;
  const pending = [pooled.node];
  for (let node = pending.pop(); node; node = pending.pop()) {
    ops.add(node.op);
    pending.push(...node.inputs.map((input) => input.node));
  }
  return ops;
}

describe("createOpenClipModel", () => {
  it("reads a ViT's options", () => {
    const found = shapes({
      vision: {
        ls_init_value: 0.1,
        no_ln_pre: true,
        mlp_ratio: 2.5,
        image_size: [16, 24],
        patch_dropout: 0.5,
        norm_kwargs: { eps: 1e-6 },
        output_tokens: true,
        block_type: null,
      },
    });
    expect(found).toMatchObject({
      "visual.positional_embedding": "[7, 16]",
      "visual.transformer.resblocks.0.ls_1.gamma": "[16]",
      "visual.transformer.resblocks.0.mlp.c_fc.weight": "[40, 16]",
    });
    expect(found).not.toHaveProperty("visual.ln_pre.weight");
    const dropped = build({ vision: { patch_dropout: 0.5 } }, "train").randomInputs;
    expect(dropped).toMatchObject([{ distribution: { kind: "subset", among: 4 } }]);
  });

  it("reads pooling: by the mean, or by attention as CoCa's towers", () => {
    const asked = shapes({
      vision: { attentional_pool: true, attn_pooler_queries: 5, attn_pooler_heads: 3 },
    });
    expect(asked).toMatchObject({
      "visual.attn_pool.query": "[5, 12]",
      "visual.attn_pool.attn.k_proj_weight": "[12, 16]",
      "visual.ln_post.weight": "[12]",
      "visual.proj": "[12, 12]",
    });
    expect(shapes({ vision: { attentional_pool: true, attn_pooler_heads: 3 } })).toMatchObject({
      "visual.attn_pool.query": "[256, 12]",
    });
    expect(opsOf({ vision: { pool_type: "avg" } }, "image")).toContain("mean");
    expect(opsOf({}, "image")).not.toContain("mean");
  });

  it("keeps sin-cos positions as a buffer", () => {
    const spec = build({ vision: { pos_embed_type: "sin_cos_2d" } }).parameters.find(
      ({ name }) => name === "visual.positional_embedding",
    );
    expect(spec).toMatchObject({ role: "buffer", shape: [5, 16] });
  });

  it.each([
    [{}, ["gelu", "gelu"]],
    [{ top: { quick_gelu: true } }, ["quickGelu", "quickGelu"]],
    [{ text: { act_kwargs: { approximate: "tanh" } } }, ["gelu", "geluTanh"]],
    [
      { top: { quick_gelu: true }, vision: { layers: [1, 1, 1, 1], width: 4, image_size: 32 } },
      ["relu", "quickGelu"],
    ],
  ] as const)("activations of %j are %j", (changes, [image, words]) => {
    const known = ["gelu", "quickGelu", "geluTanh", "relu"];
    const activations = (modality: string): string[] =>
      known.filter((op) => opsOf(changes as Changes, modality).has(op));
    expect(activations("image")).toEqual([image]);
    expect(activations("text")).toEqual([words]);
  });

  it("reads a ModifiedResNet, whose heads follow from head_width", () => {
    const found = shapes({
      vision: { layers: [1, 2, 1, 1], width: 4, head_width: 64, image_size: 64, patch_size: null },
    });
    expect(found).toMatchObject({
      "visual.conv1.weight": "[2, 3, 3, 3]",
      "visual.layer2.1.conv3.weight": "[32, 8, 1, 1]",
      "visual.attnpool.positional_embedding": "[5, 128]",
      "visual.attnpool.c_proj.weight": "[12, 128]",
    });
    const built = build({ vision: { layers: [1, 1, 1, 1], width: 4, image_size: 64 } });
    expect(
      formatShape(
        built.encoded["image"]!.intermediates["image/attnpool/attention"]!.node.outputs[0]!.shape,
      ),
    ).toBe("[imageBatch, 16, 1, 5]");
  });

  it("reads the text tower's options", () => {
    expect(shapes({ text: { proj_bias: true } })).toMatchObject({
      "text_projection.weight": "[12, 8]",
      "text_projection.bias": "[12]",
    });
    expect(shapes({ text: { proj_type: "none", width: 12 } })).not.toHaveProperty(
      "text_projection",
    );
    const inputShape = (changes: object): string =>
      formatShape(
        createOpenClipModel(configOf({ text: changes })).encoders["text"]!.inputs[0]!.shape,
      );
    expect(inputShape({})).toBe("[textBatch, textTokens]");
    // Without a causal mask padding is seen, so the length matters.
    expect(inputShape({ no_causal_mask: true })).toBe("[textBatch, 6]");
    expect(inputShape({ pool_type: "last" })).toBe("[textBatch, 6]");
    const eos = opsOf({ text: { pool_type: "eos", eos_id: 7 } }, "text");
    expect(eos).toContain("compare");
    expect(opsOf({}, "text")).not.toContain("compare");
  });

  it("puts the text tower under text. where the config says custom_text", () => {
    const names = Object.keys(shapes({ top: { custom_text: true } }));
    expect(names).toContain("text.token_embedding.weight");
    expect(names).toContain("text.text_projection");
    expect(names).toContain("visual.proj");
    expect(names.filter((name) => name.startsWith("token_embedding"))).toEqual([]);
  });

  it("starts scale and bias as told; a bias leaves the scale free", () => {
    expect(createOpenClipModel(configOf()).logitScale).toEqual({
      initial: Math.log(1 / 0.07),
      bounds: [0, Math.log(100)],
    });
    const model = createOpenClipModel(
      configOf({ top: { init_logit_scale: 2.3, init_logit_bias: -10 } }),
    );
    expect(model).toMatchObject({ logitScale: { initial: 2.3 }, logitBias: -10 });
    expect(model.logitScale).not.toHaveProperty("bounds");
  });
});

describe("what it refuses, by name", () => {
  it.each([
    [
      { vision: { timm_model_name: "convnext_base" } },
      "vision_cfg.timm_model_name",
      /timm's towers/,
    ],
    [{ text: { hf_model_name: "roberta-base" } }, "text_cfg.hf_model_name", /Hugging Face's text/],
    [{ text: { hf_tokenizer_name: "bert" } }, "text_cfg.hf_tokenizer_name", /tokenizer other/],
    [{ text: { embed_cls: true } }, "text_cfg.embed_cls", /class token of CoCa's/],
    [{ text: { text_arch: "modern" } }, "text_cfg.text_arch", /modern text tower/],
    [{ vision: { qk_norm: true } }, "vision_cfg.qk_norm", /expected false, got true/],
    [{ vision: { attentional_pool: "parallel" } }, "vision_cfg.attentional_pool", /two poolers/],
    [{ vision: { pool_type: "none" } }, "vision_cfg.pool_type", /one vector/],
    [
      { text: { act_kwargs: { approximate: "sigmoid" } } },
      "text_cfg.act_kwargs.approximate",
      /tanh/,
    ],
    [{ text: { pool_type: "eos" } }, "text_cfg.eos_id", /expected an id/],
    [
      { text: { proj_type: "none", proj_bias: true } },
      "text_cfg.proj_bias",
      /without a projection/,
    ],
    [{ top: { multimodal_cfg: { width: 8 } } }, "multimodal_cfg", /CoCa's multimodal decoder/],
    [
      { top: { quick_gelu: true }, vision: { act_kwargs: { approximate: "tanh" } } },
      "vision_cfg.act_kwargs",
      /beside quick_gelu/,
    ],
    [
      { vision: { layers: [1, 1, 1, 1], image_size: 32, ls_init_value: 0.1 } },
      "vision_cfg.ls_init_value",
      /a ModifiedResNet has no such part/,
    ],
  ] as const)("%j", (changes, path, message) => {
    let problems: ConfigError["problems"] = [];
    try {
      createOpenClipModel(configOf(changes));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      ({ problems } = error);
    }
    expect(problems.map((problem) => problem.path)).toEqual([path]);
    expect(problems[0]!.message).toMatch(message);
  });

  it("an unknown key, and several at once", () => {
    const make = (): unknown =>
      createOpenClipModel({
        ...openClipConfigs.RN50,
        vision_cfg: { ...openClipConfigs.RN50.vision_cfg, stochastic_depth: 0.1 },
        text_cfg: { ...openClipConfigs.RN50.text_cfg, hf_model_name: "x" },
      });
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(/vision_cfg: Unrecognized key: "stochastic_depth"/);
    expect(make).toThrow(/text_cfg.hf_model_name: expected null, got "x"/);
  });
});
