/** open_clip's words for a model that was configured here, so that Python can load its weights; what has none is refused. */
import { ConfigError, type MultiEncoder, type ResolvedPart, type Tokenizer } from "@diptych/core";
import type { ModifiedResNetSettings } from "@diptych/encoders-resnet";
import type { VitSettings } from "@diptych/encoders-vit";
import type { TextTransformerSettings } from "@diptych/text-transformer";
import type { OpenedConfig } from "./load-config.js";
import { openClipSchema } from "./open-clip-schema.js";

/** A `model_cfg`; what it leaves out is open_clip's default. */
export interface OpenClipWords {
  readonly embed_dim: number;
  readonly quick_gelu: boolean;
  readonly init_logit_bias?: number;
  readonly vision_cfg: Keys;
  readonly text_cfg: Keys;
}

export interface DescribedModel {
  readonly opened: OpenedConfig;
  readonly model: MultiEncoder;
  readonly tokenizer: Tokenizer;
}

type Problem = string;
type Keys = Readonly<Record<string, unknown>>;
type Activation = VitSettings["activation"];

interface TowerWords {
  readonly keys: Keys;
  /** Absent where the tower has no activation of its own choice. */
  readonly activation?: Activation;
  readonly problems: readonly Problem[];
}

/**
 * `model_cfg` of a trained model: its towers, in open_clip's keys.
 *
 * @throws ConfigError listing everything that open_clip has no words for.
 */
export function describeAsOpenClip({ opened, model, tokenizer }: DescribedModel): OpenClipWords {
  const { image, text, ...others } = opened.config.model.encoders;
  const problems: Problem[] = Object.keys(others).map(
    (name) => `encoders.${name}: open_clip has an image and a text tower`,
  );
  const imageWords = image ? describeImage(image) : missing("image");
  const textWords = text ? describeText(text, tokenizer) : missing("text");
  problems.push(...imageWords.problems, ...textWords.problems);
  const used = [imageWords, textWords].flatMap(({ activation }) => activation ?? []);
  const quickGelu = used.includes("quickGelu");
  if (quickGelu && used.some((activation) => activation !== "quickGelu"))
    problems.push("activation: open_clip has quickGelu in both towers or in none");
  if (problems.length > 0) throw refusal(problems);
  const described = {
    embed_dim: model.embedDim,
    quick_gelu: quickGelu,
    ...(model.logitBias === undefined ? {} : { init_logit_bias: model.logitBias }),
    vision_cfg: withoutDefaults(imageWords.keys, DEFAULTS.vision_cfg),
    text_cfg: withoutDefaults(textWords.keys, DEFAULTS.text_cfg),
  };
  openClipSchema.parse(described);
  return described;
}

const DEFAULTS = openClipSchema.parse({ embed_dim: 1, vision_cfg: {}, text_cfg: {} });

/** Sizes are said in any case, as open_clip's own configs do; other readers know less of the rest. */
const ALWAYS = /^(image_size|patch_size|width|layers|heads|context_length|vocab_size)$/;

function withoutDefaults(keys: Keys, defaults: Keys): Keys {
  return Object.fromEntries(
    Object.entries(keys).filter(([key, value]) => ALWAYS.test(key) || value !== defaults[key]),
  );
}

const missing = (modality: string): TowerWords => ({
  keys: {},
  problems: [`encoders.${modality}: expected one, got none`],
});

function refusal(problems: readonly Problem[]): ConfigError {
  return new ConfigError(
    `diptych/describeAsOpenClip: model: expected towers that open_clip has, got:\n${problems.map((problem) => `  ${problem}`).join("\n")}\nKeep it in the diptych format.`,
    problems.map((message) => ({ path: message.split(":")[0] ?? "", message })),
  );
}

function describeImage({ declaration, config }: ResolvedPart<"encoder">): TowerWords {
  if (declaration.type === "vit") return describeVit(config as VitSettings);
  if (declaration.type === "modified-resnet")
    return describeResNet(config as ModifiedResNetSettings);
  return {
    keys: {},
    problems: [
      `encoders.image: open_clip has no "${declaration.type}", only vit and modified-resnet`,
    ],
  };
}

function describeVit(vit: VitSettings): TowerWords {
  const { width, heads, attentionPool } = vit;
  return {
    activation: vit.activation,
    problems: vit.channels === 3 ? [] : ["encoders.image.channels: open_clip has 3"],
    keys: {
      image_size: imageSizeOf(vit),
      patch_size: vit.patchSize,
      width,
      layers: vit.layers,
      head_width: width / heads,
      mlp_ratio: vit.mlpDim / width,
      no_ln_pre: !vit.normBefore,
      pos_embed_type: vit.positions === "learned" ? "learnable" : "sin_cos_2d",
      patch_dropout: vit.patchDropout,
      ...blockKeys(vit),
      ...(attentionPool
        ? {
            attentional_pool: true,
            attn_pooler_queries: attentionPool.queries,
            attn_pooler_heads: attentionPool.heads,
            pool_type: attentionPool.take,
          }
        : { pool_type: vit.pooling, final_ln_after_pool: vit.normAfterPool }),
    },
  };
}

function describeResNet(resnet: ModifiedResNetSettings): TowerWords {
  return {
    problems: resnet.channels === 3 ? [] : ["encoders.image.channels: open_clip has 3"],
    keys: {
      image_size: imageSizeOf(resnet),
      layers: [...resnet.layers],
      width: resnet.width,
      head_width: (32 * resnet.width) / resnet.heads,
    },
  };
}

const POOL_TYPES = { eos: "argmax", first: "first", last: "last" } as const;

function describeText(
  { declaration, config }: ResolvedPart<"encoder">,
  tokenizer: Tokenizer,
): TowerWords {
  if (declaration.type !== "text-transformer") {
    return {
      keys: {},
      problems: [`encoders.text: open_clip has no "${declaration.type}", only text-transformer`],
    };
  }
  const text = config as TextTransformerSettings;
  const problems: Problem[] = [];
  if (text.pooling === "mean") problems.push("encoders.text.pooling: open_clip has no mean");
  if (text.attention === "bidirectional" && text.maskPadding)
    problems.push("encoders.text.maskPadding: open_clip never hides padding");
  const byId = text.pooling === "eos" && text.eosId !== undefined;
  return {
    activation: text.activation,
    problems,
    keys: {
      context_length: text.contextLength ?? tokenizer.contextLength,
      vocab_size: text.vocab ?? tokenizer.vocabSize,
      width: text.width,
      heads: text.heads,
      layers: text.layers,
      mlp_ratio: text.mlpDim / text.width,
      no_causal_mask: text.attention === "bidirectional",
      proj_type: text.projection === "none" ? "none" : "linear",
      proj_bias: text.projection === "linearBias",
      ...(text.pooling === "mean" ? {} : { pool_type: byId ? "eos" : POOL_TYPES[text.pooling] }),
      ...(byId ? { eos_id: text.eosId } : {}),
      ...blockKeys(text),
    },
  };
}

/** Options that both towers' blocks share. */
function blockKeys({
  activation,
  layerScale,
  normEpsilon,
}: Pick<VitSettings, "activation" | "layerScale" | "normEpsilon">): Keys {
  return {
    ...(layerScale === undefined ? {} : { ls_init_value: layerScale }),
    ...(activation === "geluTanh" ? { act_kwargs: { approximate: "tanh" } } : {}),
    ...(normEpsilon === 1e-5 ? {} : { norm_kwargs: { eps: normEpsilon } }),
  };
}

function imageSizeOf({
  imageHeight,
  imageWidth,
}: Pick<VitSettings, "imageHeight" | "imageWidth">): number | readonly number[] {
  return imageHeight === imageWidth ? imageHeight : [imageHeight, imageWidth];
}
