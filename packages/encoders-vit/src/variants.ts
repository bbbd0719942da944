/** Named sizes of vision transformers, with their sources. */

export interface VitVariant {
  /** Pixels along a side. */
  readonly imageSize: number;
  readonly patchSize: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  /** Width of the joint space in the source's CLIP, where it has one. */
  readonly embedDim?: number;
}

/**
 * - `B/32`, `B/16`, `L/14`, `L/14@336`: CLIP (arXiv:2103.00020, table 20; open_clip's model_configs).
 * - `L/16`, `H/14`: OpenCLIP (arXiv:2212.07143; model_configs ViT-L-16, ViT-H-14).
 * - `Ti/16`, `Ti/32`, `S/16`, `S/32`: DeiT and ViT (arXiv:2012.12877, table 1; open_clip's ViT-S-16, ViT-S-32), for
 *   small budgets.
 * - `Ti/4`: the same Ti on pictures of 32 pixels, for research in minutes.
 */
export const vitVariants = Object.freeze({
  "Ti/4": { imageSize: 32, patchSize: 4, width: 192, layers: 12, heads: 3 },
  "Ti/16": { imageSize: 224, patchSize: 16, width: 192, layers: 12, heads: 3 },
  "Ti/32": { imageSize: 224, patchSize: 32, width: 192, layers: 12, heads: 3 },
  "S/32": { imageSize: 224, patchSize: 32, width: 384, layers: 12, heads: 6, embedDim: 384 },
  "S/16": { imageSize: 224, patchSize: 16, width: 384, layers: 12, heads: 6, embedDim: 384 },
  "B/32": { imageSize: 224, patchSize: 32, width: 768, layers: 12, heads: 12, embedDim: 512 },
  "B/16": { imageSize: 224, patchSize: 16, width: 768, layers: 12, heads: 12, embedDim: 512 },
  "L/16": { imageSize: 224, patchSize: 16, width: 1024, layers: 24, heads: 16, embedDim: 768 },
  "L/14": { imageSize: 224, patchSize: 14, width: 1024, layers: 24, heads: 16, embedDim: 768 },
  "L/14@336": { imageSize: 336, patchSize: 14, width: 1024, layers: 24, heads: 16, embedDim: 768 },
  "H/14": { imageSize: 224, patchSize: 14, width: 1280, layers: 32, heads: 16, embedDim: 1024 },
} as const satisfies Readonly<Record<string, VitVariant>>);

export type VitVariantName = keyof typeof vitVariants;
export const VIT_VARIANT_NAMES = Object.keys(vitVariants) as [VitVariantName, ...VitVariantName[]];
