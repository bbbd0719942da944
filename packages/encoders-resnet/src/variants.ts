/** Named sizes of the CLIP paper's ResNets, with their source. */

/** Blocks of the four stages. */
export type StageBlocks = readonly [number, number, number, number];

export interface ModifiedResNetVariant {
  /** Blocks of each stage. */
  readonly layers: StageBlocks;
  /** Channels of the first stage inside its blocks; the stages double it, the last map has 32 times as many. */
  readonly width: number;
  /** Pixels along a side. */
  readonly imageSize: number;
  /** Heads of the attention pool, width/2: 64 channels each. */
  readonly heads: number;
  /** Width of the joint space in the source's CLIP. */
  readonly embedDim: number;
}

/**
 * The five ResNets of CLIP (arXiv:2103.00020 §2.4 and table 19; open_clip's model_configs). x4, x16 and x64 say how much
 * the compute of RN50 grows, spread over width, depth and resolution as EfficientNet does.
 */
export const modifiedResNetVariants = Object.freeze({
  RN50: { layers: [3, 4, 6, 3], width: 64, imageSize: 224, heads: 32, embedDim: 1024 },
  RN101: { layers: [3, 4, 23, 3], width: 64, imageSize: 224, heads: 32, embedDim: 512 },
  RN50x4: { layers: [4, 6, 10, 6], width: 80, imageSize: 288, heads: 40, embedDim: 640 },
  RN50x16: { layers: [6, 8, 18, 8], width: 96, imageSize: 384, heads: 48, embedDim: 768 },
  RN50x64: { layers: [3, 15, 36, 10], width: 128, imageSize: 448, heads: 64, embedDim: 1024 },
} as const satisfies Readonly<Record<string, ModifiedResNetVariant>>);

export type ModifiedResNetVariantName = keyof typeof modifiedResNetVariants;
export const MODIFIED_RESNET_VARIANT_NAMES = Object.keys(modifiedResNetVariants) as [
  ModifiedResNetVariantName,
  ...ModifiedResNetVariantName[],
];
