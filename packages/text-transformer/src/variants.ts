/** Named sizes of CLIP's text transformer, with their sources. */

export interface TextVariant {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
}

/**
 * - `base`: the text tower of RN50, RN101, ViT-B (arXiv:2103.00020 §2.4 and table 20: 12 layers, 512 wide, 8 heads).
 * - `large`: of ViT-L/14 (768 wide). `x4`: of RN50x4 (640). `x64`: of RN50x64 (1024).
 * - `huge`: of OpenCLIP's ViT-H/14 (arXiv:2212.07143: 24 layers, 1024 wide).
 * - `small`: open_clip's ViT-S-16 and ViT-S-32 (384 wide). `tiny`: 6 layers, 192 wide, for research in minutes.
 */
export const textVariants = Object.freeze({
  tiny: { width: 192, layers: 6, heads: 3 },
  small: { width: 384, layers: 12, heads: 6 },
  base: { width: 512, layers: 12, heads: 8 },
  x4: { width: 640, layers: 12, heads: 10 },
  large: { width: 768, layers: 12, heads: 12 },
  x64: { width: 1024, layers: 12, heads: 16 },
  huge: { width: 1024, layers: 24, heads: 16 },
} as const satisfies Readonly<Record<string, TextVariant>>);

export type TextVariantName = keyof typeof textVariants;
export const TEXT_VARIANT_NAMES = Object.keys(textVariants) as [
  TextVariantName,
  ...TextVariantName[],
];
