/** The model that an open_clip config describes: a ViT or a ModifiedResNet with CLIP's text transformer. */
import {
  CLIP_LOGIT_SCALE,
  ConfigError,
  createMultiEncoder,
  type Encoder,
  type MultiEncoder,
} from "@diptych/core";
import { createModifiedResNet } from "@diptych/encoders-resnet";
import { createVitEncoder, type VitOptions } from "@diptych/encoders-vit";
import { createTextEncoder } from "@diptych/text-transformer";
import {
  openClipSchema,
  type OpenClipModelConfig,
  type OpenClipText,
  type OpenClipVision,
} from "./open-clip-schema.js";

/** Patches of a ViT whose config does not say (CLIPVisionCfg). */
const PATCH_SIZE = 16;

/**
 * A model from `model_cfg` of an open_clip_config.json: parameters, their names and their features are those of
 * open_clip's CLIP, or of CustomTextCLIP where `custom_text` is set (open_clip's model.py, CLIPVisionCfg, CLIPTextCfg).
 * A learned bias, which SigLIP has, comes with a scale that is not clamped; CLIP's is kept in [0, ln 100].
 *
 * @throws ConfigError naming each key that asks for another tower (timm, Hugging Face, CoCa …) or that is unknown.
 * @example
 * const model = createOpenClipModel(openClipConfig("ViT-B-32"));
 */
export function createOpenClipModel(modelConfig: unknown): MultiEncoder {
  const config = parseConfig(modelConfig);
  const { init_logit_scale: scale, init_logit_bias: bias, custom_text: customText } = config;
  const initial = scale ?? CLIP_LOGIT_SCALE.initial;
  const learnsBias = typeof bias === "number";
  return createMultiEncoder({
    encoders: { image: createImageTower(config), text: createTextTower(config) },
    logitScale: learnsBias ? { initial } : { ...CLIP_LOGIT_SCALE, initial },
    ...(learnsBias ? { logitBias: bias } : {}),
    textPrefix: customText ? "text" : "",
  });
}

function parseConfig(modelConfig: unknown): OpenClipModelConfig {
  const parsed = openClipSchema.safeParse(modelConfig);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => ({
    path: path.join("."),
    message,
  }));
  const lines = problems.map(
    ({ path, message }) => `  ${path === "" ? "" : `${path}: `}${message}`,
  );
  throw new ConfigError(
    `diptych/createOpenClipModel: model_cfg: expected a ViT or a ModifiedResNet with CLIP's text transformer, got something else:\n${lines.join("\n")}\nUse a model of these families, or give the towers as plugins.`,
    problems,
  );
}

function createImageTower({
  embed_dim: embedDim,
  quick_gelu: quickGelu,
  vision_cfg: vision,
}: OpenClipModelConfig): Encoder {
  const { layers, width, head_width: headWidth, image_size: imageSize } = vision;
  if (typeof layers !== "number") {
    const heads = Math.floor((32 * width) / headWidth);
    return createModifiedResNet({ imageSize, width, layers, heads }, { embedDim });
  }
  return createVitEncoder(
    {
      imageSize,
      patchSize: vision.patch_size ?? PATCH_SIZE,
      width,
      layers,
      heads: Math.floor(width / headWidth),
      normBefore: !vision.no_ln_pre,
      positions: vision.pos_embed_type === "learnable" ? "learned" : "sinCos",
      patchDropout: vision.patch_dropout,
      ...blockOptions(vision, quickGelu),
      ...poolingOptions(vision),
    },
    { embedDim },
  );
}

/** Options that both towers' blocks share. */
function blockOptions(
  tower: Pick<
    OpenClipVision,
    "width" | "mlp_ratio" | "ls_init_value" | "norm_kwargs" | "act_kwargs"
  >,
  quickGelu: boolean,
) {
  const { ls_init_value: layerScale, norm_kwargs: norm, act_kwargs: activation } = tower;
  const exact = activation?.approximate === "tanh" ? "geluTanh" : "gelu";
  return {
    mlpDim: Math.floor(tower.width * tower.mlp_ratio),
    activation: quickGelu ? "quickGelu" : exact,
    ...(typeof layerScale === "number" ? { layerScale } : {}),
    ...(norm?.eps === undefined ? {} : { normEpsilon: norm.eps }),
  } as const;
}

/** With pooling by attention open_clip ignores final_ln_after_pool: its norm always comes after the pool. */
function poolingOptions(
  vision: OpenClipVision,
): Pick<VitOptions, "pooling" | "attentionPool" | "normAfterPool"> {
  const { pool_type: take } = vision;
  if (!vision.attentional_pool) return { pooling: take, normAfterPool: vision.final_ln_after_pool };
  const { attn_pooler_queries: queries, attn_pooler_heads: heads } = vision;
  return { pooling: "attention", attentionPool: { queries, heads, take } };
}

const TEXT_POOLING = { argmax: "eos", eos: "eos", first: "first", last: "last" } as const;

function createTextTower({
  embed_dim: embedDim,
  quick_gelu: quickGelu,
  text_cfg: text,
}: OpenClipModelConfig): Encoder {
  return createTextEncoder(
    {
      vocab: text.vocab_size,
      contextLength: text.context_length,
      width: text.width,
      heads: text.heads,
      layers: text.layers,
      // open_clip's text tower never masks padding.
      ...(text.no_causal_mask ? { attention: "bidirectional", maskPadding: false } : {}),
      pooling: TEXT_POOLING[text.pool_type],
      ...(text.pool_type === "eos" ? { eosId: text.eos_id ?? 0 } : {}),
      projection: projectionOf(text),
      ...blockOptions(text, quickGelu),
    },
    { embedDim },
  );
}

function projectionOf({
  proj_type: type,
  proj_bias: bias,
}: OpenClipText): "none" | "linear" | "linearBias" {
  if (type === "none") return "none";
  return bias ? "linearBias" : "linear";
}
