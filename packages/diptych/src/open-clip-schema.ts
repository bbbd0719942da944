/**
 * What of an open_clip model_cfg the towers here express exactly, as a strict schema: a key that it does not know, or a
 * value that would need another tower, is a problem with a name, never a model that is silently another one.
 */
import { z } from "zod";

const size = z.int().min(1);

/** A key that changes the model unless it has this value (or none). */
const only = (neutral: boolean | string | null, otherwise: string): z.ZodType =>
  z
    .unknown()
    .optional()
    .refine((value) => value === undefined || value === null || value === neutral, {
      error: ({ input }) =>
        `expected ${JSON.stringify(neutral)}, got ${JSON.stringify(input)}: ${otherwise}`,
    });

/** A key without effect on what is built here. */
const any = z.unknown().optional();

const ACTIVATION = "activations other than GELU, QuickGELU and the tanh GELU are not supported";
const normKeys = z.strictObject({ eps: z.number().positive().optional() });
const activationKeys = z.strictObject({
  approximate: z.enum(["none", "tanh"], { error: ACTIVATION }).optional(),
});

const CUSTOM_BLOCK = "open_clip's custom transformer blocks are not supported";

/** Keys of both towers' transformer blocks. */
const blockKeys = {
  mlp_ratio: z.number().positive().default(4),
  ls_init_value: z.number().nullish(),
  act_kwargs: activationKeys.nullish(),
  norm_kwargs: normKeys.nullish(),
  output_tokens: any,
  block_type: only("default", CUSTOM_BLOCK),
  qk_norm: only(false, CUSTOM_BLOCK),
  scaled_cosine_attn: only(false, CUSTOM_BLOCK),
  scale_heads: only(false, CUSTOM_BLOCK),
  scale_attn_inner: only(false, CUSTOM_BLOCK),
  scale_attn: only(false, CUSTOM_BLOCK),
  scale_fc: only(false, CUSTOM_BLOCK),
};

const visionKeys = z.strictObject({
  layers: z.union([size, z.tuple([size, size, size, size])]).default(12),
  width: size.default(768),
  head_width: size.default(64),
  patch_size: size.nullish(),
  image_size: z.union([size, z.tuple([size, size])]).default(224),
  image_seq_len: only(null, "pictures of varying size are not supported"),
  patch_dropout: z.number().min(0).lt(1).default(0),
  attentional_pool: z
    .boolean({ error: "expected true or false: two poolers in a row are not supported" })
    .default(false),
  attn_pooler_queries: size.default(256),
  attn_pooler_heads: size.default(8),
  no_ln_pre: z.boolean().default(false),
  pos_embed_type: z.enum(["learnable", "sin_cos_2d"]).default("learnable"),
  final_ln_after_pool: z.boolean().default(false),
  pool_type: z
    .enum(["tok", "avg"], { error: "expected tok or avg: towers here give one vector" })
    .default("tok"),
  ...blockKeys,
  timm_model_name: only(null, "timm's towers are not supported"),
  timm_model_pretrained: any,
  timm_pool: any,
  timm_proj: any,
  timm_proj_bias: any,
  timm_drop: any,
  timm_drop_path: any,
  timm_model_kwargs: any,
});

const OTHER_TOKENIZER = "a tokenizer other than CLIP's is not supported";

const textKeys = z.strictObject({
  text_arch: only("clip", "the modern text tower is not supported"),
  context_length: size.default(77),
  variable_text: any,
  vocab_size: size.default(49408),
  hf_tokenizer_name: only(null, OTHER_TOKENIZER),
  tokenizer_mode: only(null, OTHER_TOKENIZER),
  tokenizer_kwargs: only(null, OTHER_TOKENIZER),
  tokenizer_type: only("", OTHER_TOKENIZER),
  tiktoken_name: any,
  width: size.default(512),
  heads: size.default(8),
  layers: size.default(12),
  ...blockKeys,
  embed_cls: only(false, "the class token of CoCa's text tower is not supported"),
  // Only embed_cls reads pad_id, and open_clip's text tower ignores final_ln_after_pool.
  pad_id: any,
  bos_id: any,
  final_ln_after_pool: any,
  eos_id: z.int().min(0).nullish(),
  no_causal_mask: z.boolean().default(false),
  pool_type: z
    .enum(["argmax", "eos", "first", "last"], {
      error: "expected argmax, eos, first or last: towers here give one vector",
    })
    .default("argmax"),
  proj_type: z.enum(["linear", "none"]).default("linear"),
  proj_bias: z.boolean().default(false),
  hf_model_name: only(null, "Hugging Face's text towers are not supported"),
  hf_model_pretrained: any,
  hf_proj_type: any,
  hf_pooler_type: any,
  hf_model_config: any,
});

export type OpenClipVision = z.output<typeof visionKeys>;
export type OpenClipText = z.output<typeof textKeys>;

/** Keys that open_clip's ModifiedResNet ignores, with their neutral values: set, they would promise what nothing does. */
const TRANSFORMER_ONLY: Readonly<Partial<OpenClipVision>> = {
  patch_dropout: 0,
  attentional_pool: false,
  no_ln_pre: false,
  pos_embed_type: "learnable",
  final_ln_after_pool: false,
  pool_type: "tok",
  ls_init_value: null,
  act_kwargs: null,
  norm_kwargs: null,
};

type Problem = readonly [path: readonly string[], message: string];

function visionProblems(vision: OpenClipVision, quickGelu: boolean): Problem[] {
  if (typeof vision.layers === "number") return activationProblems("vision_cfg", vision, quickGelu);
  return Object.entries(TRANSFORMER_ONLY).flatMap(([key, neutral]): Problem[] => {
    const value = vision[key as keyof OpenClipVision] ?? null;
    if (value === neutral) return [];
    return [
      [
        ["vision_cfg", key],
        `expected ${JSON.stringify(neutral)}: a ModifiedResNet has no such part`,
      ],
    ];
  });
}

function activationProblems(
  tower: string,
  { act_kwargs: options }: Pick<OpenClipVision, "act_kwargs">,
  quickGelu: boolean,
): Problem[] {
  if (!quickGelu || !options || Object.keys(options).length === 0) return [];
  return [[[tower, "act_kwargs"], "expected none beside quick_gelu, which takes no options"]];
}

function textProblems(text: OpenClipText, quickGelu: boolean): Problem[] {
  const problems = activationProblems("text_cfg", text, quickGelu);
  if (text.pool_type === "eos" && typeof text.eos_id !== "number")
    problems.push([["text_cfg", "eos_id"], 'expected an id, which pool_type "eos" looks for']);
  if (text.proj_type === "none" && text.proj_bias)
    problems.push([["text_cfg", "proj_bias"], "expected false without a projection"]);
  return problems;
}

/** `model_cfg` of an open_clip_config.json. */
export const openClipSchema = z
  .strictObject({
    embed_dim: size,
    quick_gelu: z.boolean().default(false),
    /** CustomTextCLIP: the text tower's parameters lie under `text.`. */
    custom_text: z.boolean().default(false),
    init_logit_scale: z.number().nullish(),
    init_logit_bias: z.number().nullish(),
    nonscalar_logit_scale: only(false, "a scale of shape [1] is not supported"),
    output_dict: any,
    multimodal_cfg: only(null, "CoCa's multimodal decoder is not supported"),
    vision_cfg: visionKeys,
    text_cfg: textKeys,
  })
  .superRefine((config, context) => {
    const { quick_gelu: quickGelu, vision_cfg: vision, text_cfg: text } = config;
    const problems = [...visionProblems(vision, quickGelu), ...textProblems(text, quickGelu)];
    for (const [path, message] of problems)
      context.addIssue({ code: "custom", path: [...path], message });
  });

export type OpenClipModelConfig = z.output<typeof openClipSchema>;
