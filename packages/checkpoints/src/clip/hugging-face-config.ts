/**
 * config.json of Hugging Face transformers' CLIPModel as open_clip's `model_cfg` and back, with the defaults of
 * transformers where a key is absent.
 */
import { CheckpointError } from "@diptych/core";
import { z } from "zod";
import { mlpDimOf, mlpRatioOf, type OpenClipModelConfig } from "./open-clip-config.js";

const size = z.int().min(1).max(1_000_000);
const towerSchema = z.looseObject({
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  hidden_act: z.string().default("quick_gelu"),
  layer_norm_eps: z.number().positive().default(1e-5),
});
const textSchema = towerSchema.extend({
  hidden_size: size.default(512),
  intermediate_size: size.default(2048),
  num_hidden_layers: size.default(12),
  num_attention_heads: size.default(8),
  vocab_size: size.default(49408),
  max_position_embeddings: size.default(77),
  eos_token_id: z.int().nullish().default(49407),
});
const visionSchema = towerSchema.extend({
  hidden_size: size.default(768),
  intermediate_size: size.default(3072),
  num_hidden_layers: size.default(12),
  num_attention_heads: size.default(12),
  image_size: size.default(224),
  patch_size: size.default(32),
});
const loose = z.looseObject({}).nullish();
const configSchema = z.looseObject({
  model_type: z.literal("clip"),
  projection_dim: size.default(512),
  text_config: loose,
  vision_config: loose,
  // Configs of 2021 repeat towers here, and what they say holds.
  text_config_dict: loose,
  vision_config_dict: loose,
});

type Tower = z.output<typeof towerSchema>;

/** The id that transformers took for "the largest id ends the text" before 4.31; its CLIP still pools by argmax then. */
const LEGACY_EOS = 2;

/** @throws CheckpointError naming what the configuration lacks, or what open_clip's model cannot express. */
export function fromHuggingFaceConfig(path: string, json: unknown): OpenClipModelConfig {
  const config = parseHuggingFace(path, configSchema, json);
  const text = parseHuggingFace(path, textSchema, {
    ...config.text_config,
    ...config.text_config_dict,
  });
  const vision = parseHuggingFace(path, visionSchema, {
    ...config.vision_config,
    ...config.vision_config_dict,
  });
  if (text.hidden_act !== vision.hidden_act) {
    throw new CheckpointError(
      `checkpoints/hugging-face: ${path}: expected one activation in both towers, got "${text.hidden_act}" in the text tower and "${vision.hidden_act}" in the image tower. open_clip's configuration cannot say that.`,
    );
  }
  return Object.freeze({
    embed_dim: config.projection_dim,
    quick_gelu: isQuickGelu(path, vision.hidden_act),
    vision_cfg: {
      image_size: vision.image_size,
      layers: vision.num_hidden_layers,
      width: vision.hidden_size,
      patch_size: vision.patch_size,
      ...headWidth(path, vision),
      ...mlpRatio(vision),
      ...activationAndNorm(vision),
    },
    text_cfg: {
      context_length: text.max_position_embeddings,
      vocab_size: text.vocab_size,
      width: text.hidden_size,
      heads: text.num_attention_heads,
      layers: text.num_hidden_layers,
      ...mlpRatio(text),
      ...activationAndNorm(text),
      ...pooling(text),
    },
  });
}

/** `json` by a schema. @throws CheckpointError listing what is wrong with it. */
export function parseHuggingFace<T extends z.ZodType>(
  path: string,
  schema: T,
  json: unknown,
): z.output<T> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new CheckpointError(
    `checkpoints/hugging-face: ${path}: expected the configuration of a CLIPModel, got ${problems.slice(0, 8).join("; ")}. Another kind of model, or a damaged file.`,
  );
}

function isQuickGelu(path: string, activation: string): boolean {
  if (activation === "quick_gelu") return true;
  if (activation === "gelu" || activation in TANH_GELU) return false;
  throw new CheckpointError(
    `checkpoints/hugging-face: ${path}: expected hidden_act quick_gelu or gelu, got "${activation}".`,
  );
}

/** Names of GELU's tanh approximation. */
const TANH_GELU = { gelu_new: true, gelu_pytorch_tanh: true } as const;

function activationAndNorm({ hidden_act, layer_norm_eps }: Tower): Record<string, unknown> {
  return {
    ...(hidden_act in TANH_GELU ? { act_kwargs: { approximate: "tanh" } } : {}),
    ...(layer_norm_eps === 1e-5 ? {} : { norm_kwargs: { eps: layer_norm_eps } }),
  };
}

function headWidth(path: string, { hidden_size, num_attention_heads }: Tower): object {
  const wide = hidden_size / num_attention_heads;
  if (!Number.isInteger(wide)) {
    throw new CheckpointError(
      `checkpoints/hugging-face: ${path}: expected heads that divide the width, got ${num_attention_heads} of ${hidden_size}.`,
    );
  }
  return wide === 64 ? {} : { head_width: wide };
}

function mlpRatio({ hidden_size, intermediate_size }: Tower): object {
  const ratio = mlpRatioOf(hidden_size, intermediate_size);
  return ratio === 4 ? {} : { mlp_ratio: ratio };
}

/**
 * How the text is pooled. `eos_token_id: 2` (OpenAI's folders) means argmax of the ids; so does an end-of-text that is
 * the last id of the vocabulary. Any other is looked for by its id, which open_clip calls `pool_type: "eos"`.
 */
function pooling({ eos_token_id: eos, vocab_size: vocab }: z.output<typeof textSchema>): object {
  if (eos === null || eos === LEGACY_EOS || eos === vocab - 1) return {};
  return { pool_type: "eos", eos_id: eos };
}

/** Keys of `vision_cfg` and `text_cfg` that a CLIPModel has a place for. */
const VISION_KEYS = [
  "image_size",
  "layers",
  "width",
  "patch_size",
  "head_width",
  "mlp_ratio",
  "norm_kwargs",
  "act_kwargs",
];
const TEXT_KEYS = [
  "context_length",
  "vocab_size",
  "width",
  "heads",
  "layers",
  "mlp_ratio",
  "norm_kwargs",
  "act_kwargs",
  "pool_type",
  "eos_id",
];
const ROOT_KEYS = ["embed_dim", "quick_gelu", "vision_cfg", "text_cfg"];

/**
 * The config.json of a CLIPModel for an open_clip `model_cfg`.
 *
 * @throws CheckpointError for a model that transformers' CLIPModel cannot be: ModifiedResNets and other families.
 */
export function toHuggingFaceConfig(path: string, config: OpenClipModelConfig): object {
  const { vision_cfg: vision, text_cfg: text } = config;
  const refuse = (what: string): CheckpointError =>
    new CheckpointError(
      `checkpoints/hugging-face: ${path}: expected a ViT with CLIP's text transformer, got ${what}. transformers' CLIPModel has no such: write an open_clip folder.`,
    );
  if (typeof vision.layers !== "number") throw refuse("a ModifiedResNet");
  if (typeof vision.patch_size !== "number") throw refuse("an image tower without patches");
  const others = [
    ...Object.keys(config).filter((key) => !ROOT_KEYS.includes(key)),
    ...Object.keys(vision).filter((key) => !VISION_KEYS.includes(key)),
    ...Object.keys(text).filter((key) => !TEXT_KEYS.includes(key)),
  ];
  if (others.length > 0) throw refuse(`a model with ${others.join(", ")}`);
  const { image_size: imageSize = 224 } = vision;
  const square = typeof imageSize === "number" ? imageSize : imageSize[0];
  if (typeof imageSize !== "number" && imageSize[0] !== imageSize[1])
    throw refuse(`pictures of ${imageSize.join("×")}`);
  const vocab = text.vocab_size ?? 49408;
  const eos =
    typeof text["eos_id"] === "number" && text["pool_type"] === "eos" ? text["eos_id"] : vocab - 1;
  if (text["pool_type"] !== undefined && !["argmax", "eos"].includes(text["pool_type"] as string))
    throw refuse(`text pooled by ${JSON.stringify(text["pool_type"])}`);
  // Numbers that Python wants as floats and that are whole are left to its defaults: JSON written here has no 1.0.
  const shared = { projection_dim: config.embed_dim };
  return {
    architectures: ["CLIPModel"],
    model_type: "clip",
    torch_dtype: "float32",
    logit_scale_init_value: 2.6592,
    projection_dim: config.embed_dim,
    text_config: {
      ...shared,
      model_type: "clip_text_model",
      ...towerConfig(config.quick_gelu ?? false, text.width ?? 512, text),
      num_attention_heads: text.heads ?? 8,
      num_hidden_layers: text.layers ?? 12,
      max_position_embeddings: text.context_length ?? 77,
      vocab_size: vocab,
      bos_token_id: vocab - 2,
      eos_token_id: eos,
      pad_token_id: vocab - 1,
    },
    vision_config: {
      ...shared,
      model_type: "clip_vision_model",
      ...towerConfig(config.quick_gelu ?? false, vision.width, vision),
      num_attention_heads: Math.floor(vision.width / (vision.head_width ?? 64)),
      num_hidden_layers: vision.layers,
      num_channels: 3,
      image_size: square,
      patch_size: vision.patch_size,
    },
  };
}

function towerConfig(
  quickGelu: boolean,
  width: number,
  config: Readonly<Record<string, unknown>> & { readonly mlp_ratio?: number },
): object {
  const { norm_kwargs: norm, act_kwargs: activation } = config as {
    norm_kwargs?: { eps?: number };
    act_kwargs?: { approximate?: string };
  };
  const gelu = activation?.approximate === "tanh" ? "gelu_pytorch_tanh" : "gelu";
  return {
    hidden_size: width,
    intermediate_size: mlpDimOf(width, config.mlp_ratio ?? 4),
    hidden_act: quickGelu ? "quick_gelu" : gelu,
    layer_norm_eps: norm?.eps ?? 1e-5,
  };
}
