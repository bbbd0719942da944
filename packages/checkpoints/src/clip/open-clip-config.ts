/** What open_clip writes beside its weights: `model_cfg` and `preprocess_cfg` of open_clip_config.json, with its defaults. */

/** `vision_cfg`: of a ViT where `layers` is a number, of a ModifiedResNet where it lists the blocks of four stages. */
export interface OpenClipVisionConfig {
  readonly layers: number | readonly number[];
  readonly width: number;
  readonly patch_size?: number | null;
  readonly image_size?: number | readonly [number, number];
  readonly head_width?: number;
  readonly mlp_ratio?: number;
  readonly [key: string]: unknown;
}

export interface OpenClipTextConfig {
  readonly context_length?: number;
  readonly vocab_size?: number;
  readonly width?: number;
  readonly heads?: number;
  readonly layers?: number;
  readonly mlp_ratio?: number;
  readonly [key: string]: unknown;
}

export interface OpenClipModelConfig {
  readonly embed_dim: number;
  readonly quick_gelu?: boolean;
  readonly custom_text?: boolean;
  readonly vision_cfg: OpenClipVisionConfig;
  readonly text_cfg: OpenClipTextConfig;
  readonly [key: string]: unknown;
}

type Triple = readonly [number, number, number];

export interface OpenClipPreprocessConfig {
  readonly mean?: Triple;
  readonly std?: Triple;
  readonly interpolation?: string;
  readonly resize_mode?: string;
  readonly size?: number | readonly [number, number];
  readonly [key: string]: unknown;
}

/** Preprocessing of OpenAI's models (clip-numerics §9). */
export const OPENAI_PREPROCESS: OpenClipPreprocessConfig = Object.freeze({
  mean: Object.freeze([0.48145466, 0.4578275, 0.40821073] as const),
  std: Object.freeze([0.26862954, 0.26130258, 0.27577711] as const),
  interpolation: "bicubic",
  resize_mode: "shortest",
});

/** open_clip's defaults of `vision_cfg` (CLIPVisionCfg). */
export const VISION_DEFAULTS = Object.freeze({ head_width: 64, mlp_ratio: 4, image_size: 224 });
/** open_clip's defaults of `text_cfg` (CLIPTextCfg). */
export const TEXT_DEFAULTS = Object.freeze({
  context_length: 77,
  vocab_size: 49408,
  width: 512,
  heads: 8,
  layers: 12,
  mlp_ratio: 4,
});

/** Width of an MLP as open_clip computes it. */
export function mlpDimOf(width: number, ratio: number): number {
  return Math.floor(width * ratio);
}

/** The ratio that gives `mlpDim`, also where the quotient is rounded to something below it. */
export function mlpRatioOf(width: number, mlpDim: number): number {
  const ratio = mlpDim / width;
  return mlpDimOf(width, ratio) === mlpDim ? ratio : (mlpDim + 0.5) / width;
}
