/** The nine models of the CLIP paper as open_clip writes them: model_cfg by name. */
import { ConfigError } from "@diptych/core";

/** The keys of a model_cfg that the paper's models need; `createOpenClipModel` understands more. */
export interface OpenClipConfig {
  readonly embed_dim: number;
  /** x·σ(1.702x) instead of the exact GELU; OpenAI's weights need it. */
  readonly quick_gelu?: boolean;
  readonly vision_cfg: {
    readonly image_size: number;
    /** A number of blocks for a ViT, the blocks of each of four stages for a ModifiedResNet. */
    readonly layers: number | readonly [number, number, number, number];
    readonly width: number;
    readonly patch_size: number | null;
  };
  readonly text_cfg: {
    readonly context_length: number;
    readonly vocab_size: number;
    readonly width: number;
    readonly heads: number;
    readonly layers: number;
  };
}

type Stages = readonly [number, number, number, number];

interface Sizes {
  readonly embedDim: number;
  readonly imageSize: number;
  readonly layers: number | Stages;
  readonly width: number;
  readonly patchSize?: number;
  readonly textWidth: number;
}

function config(sizes: Sizes): OpenClipConfig {
  const { embedDim, imageSize, layers, width, patchSize = null, textWidth } = sizes;
  return Object.freeze({
    embed_dim: embedDim,
    vision_cfg: Object.freeze({ image_size: imageSize, layers, width, patch_size: patchSize }),
    text_cfg: Object.freeze({
      context_length: 77,
      vocab_size: 49408,
      width: textWidth,
      heads: textWidth / 64,
      layers: 12,
    }),
  });
}

/** The text towers of the paper's ResNets are eight times as wide as the image towers' first stage (paper §2.4). */
const resNet = (embedDim: number, imageSize: number, layers: Stages, width: number) =>
  config({ embedDim, imageSize, layers: Object.freeze(layers), width, textWidth: 8 * width });

const BASE = { embedDim: 512, imageSize: 224, layers: 12, width: 768, textWidth: 512 };
const LARGE = { embedDim: 768, layers: 24, width: 1024, patchSize: 14, textWidth: 768 };

/**
 * The models of arXiv:2103.00020, tables 19 and 20, under open_clip's names and as its model_configs have them, without
 * quick_gelu. Parameters in millions: 102.01, 119.69, 178.30, 290.98, 623.26; 151.28, 149.62, 427.62, 427.94.
 */
export const openClipConfigs = Object.freeze({
  RN50: resNet(1024, 224, [3, 4, 6, 3], 64),
  RN101: resNet(512, 224, [3, 4, 23, 3], 64),
  RN50x4: resNet(640, 288, [4, 6, 10, 6], 80),
  RN50x16: resNet(768, 384, [6, 8, 18, 8], 96),
  RN50x64: resNet(1024, 448, [3, 15, 36, 10], 128),
  "ViT-B-32": config({ ...BASE, patchSize: 32 }),
  "ViT-B-16": config({ ...BASE, patchSize: 16 }),
  "ViT-L-14": config({ ...LARGE, imageSize: 224 }),
  "ViT-L-14-336": config({ ...LARGE, imageSize: 336 }),
} satisfies Readonly<Record<string, OpenClipConfig>>);

export type OpenClipModelName = keyof typeof openClipConfigs;

/** Names of the paper's models, smallest family first. */
export const OPEN_CLIP_MODEL_NAMES = Object.freeze(
  Object.keys(openClipConfigs) as OpenClipModelName[],
);

const QUICK_GELU = "-quickgelu";

/**
 * The model_cfg of one of the paper's models by open_clip's name, e.g. `ViT-B-32`, or of its twin with QuickGELU, which
 * OpenAI's weights need, e.g. `ViT-B-32-quickgelu`.
 *
 * @throws ConfigError on another name, listing those known.
 * @example
 * const model = createOpenClipModel(openClipConfig("RN50-quickgelu"));
 */
export function openClipConfig(name: string): OpenClipConfig {
  const base = name.endsWith(QUICK_GELU) ? name.slice(0, -QUICK_GELU.length) : name;
  if (!Object.hasOwn(openClipConfigs, base)) {
    throw new ConfigError(
      `diptych/openClipConfig: name: expected one of ${OPEN_CLIP_MODEL_NAMES.join(", ")}, or one with "${QUICK_GELU}" after it, got "${name}". Other models: give createOpenClipModel their model_cfg.`,
    );
  }
  const found = openClipConfigs[base as OpenClipModelName];
  return base === name ? found : Object.freeze({ ...found, quick_gelu: true });
}
