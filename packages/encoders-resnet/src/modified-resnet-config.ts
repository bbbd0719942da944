/** Configuration of the paper's ModifiedResNet: a strict schema, its defaults, and the checks that need several keys. */
import { problemsOf, throwProblems } from "@diptych/core";
import { partConstructor } from "@diptych/core/plugin";
import { BATCH_NORM_MODES, type BatchNormMode } from "@diptych/nn";
import { z } from "zod";
import {
  MODIFIED_RESNET_VARIANT_NAMES,
  modifiedResNetVariants,
  type StageBlocks,
} from "./variants.js";

const positiveInteger = z.int().min(1);

/** The stem halves a picture twice, three stages once each. */
export const REDUCTION = 32;
/** Channels of the last map over the first stage's width: 8 (three doublings) times the bottleneck's 4. */
export const LAST_WIDTH = 32;

const modifiedKeys = z.strictObject({
  /** Sizes to start from; the keys below replace single ones. */
  variant: z.enum(MODIFIED_RESNET_VARIANT_NAMES).default("RN50"),
  /** Pixels: one number, or [height, width]; multiples of 32. */
  imageSize: z.union([positiveInteger, z.tuple([positiveInteger, positiveInteger])]).optional(),
  channels: positiveInteger.default(3),
  /** Blocks of the four stages. */
  layers: z.tuple([positiveInteger, positiveInteger, positiveInteger, positiveInteger]).optional(),
  /** Channels of the first stage inside its blocks; even, since the stem starts with half of it. */
  width: z.int().min(2).optional(),
  /** Heads of the attention pool; divides 32·width, width/2 (64 channels each) where only the width is given. */
  heads: positiveInteger.optional(),
  /**
   * `batch`: normalises by the batch and moves the running statistics; `frozenStatistics`: normalises by the running
   * statistics and leaves them, weight and bias learn; `frozen`: weight and bias stand still too.
   */
  norms: z.enum(BATCH_NORM_MODES).default("batch"),
});

/** What a user writes. */
export type ModifiedResNetOptions = z.input<typeof modifiedKeys>;

/** Settings with every size decided. */
export interface ModifiedResNetSettings {
  readonly imageHeight: number;
  readonly imageWidth: number;
  readonly channels: number;
  readonly layers: StageBlocks;
  readonly width: number;
  readonly heads: number;
  readonly norms: BatchNormMode;
}

function decideSizes(keys: z.output<typeof modifiedKeys>): ModifiedResNetSettings {
  const base = modifiedResNetVariants[keys.variant];
  const size = keys.imageSize ?? base.imageSize;
  const [imageHeight, imageWidth] = typeof size === "number" ? [size, size] : size;
  const width = keys.width ?? base.width;
  return Object.freeze({
    imageHeight,
    imageWidth,
    channels: keys.channels,
    layers: Object.freeze(keys.layers ?? base.layers),
    width,
    heads:
      keys.heads ?? (keys.width === undefined ? base.heads : Math.max(1, Math.round(width / 2))),
    norms: keys.norms,
  });
}

/** What is wrong with sizes that are each valid: [key, message]. */
function sizeProblems(
  settings: ModifiedResNetSettings,
): readonly (readonly [keyof ModifiedResNetOptions, string])[] {
  const { imageHeight, imageWidth, width, heads } = settings;
  const problems: [keyof ModifiedResNetOptions, string][] = [];
  if (imageHeight % REDUCTION !== 0 || imageWidth % REDUCTION !== 0) {
    const nearest = (size: number): number => Math.max(1, Math.round(size / REDUCTION)) * REDUCTION;
    problems.push([
      "imageSize",
      `expected a multiple of ${REDUCTION} (the stem and the stages halve it five times), got ${imageHeight}×${imageWidth}. Nearest: ${nearest(imageHeight)}×${nearest(imageWidth)}`,
    ]);
  }
  if (width % 2 !== 0) problems.push(["width", `expected an even number, got ${width}`]);
  if ((LAST_WIDTH * width) % heads !== 0) {
    problems.push([
      "heads",
      `expected a divisor of the last map's ${LAST_WIDTH * width} channels (32·width), got ${heads}`,
    ]);
  }
  return problems;
}

/** Strict schema: what the user writes in, settings with every size out. */
export const modifiedResNetSchema = modifiedKeys
  .superRefine((keys, context) => {
    for (const [key, message] of sizeProblems(decideSizes(keys)))
      context.addIssue({ code: "custom", path: [key], message });
  })
  .transform(decideSizes);

/** Settings from options. @throws ConfigError listing every problem. */
export function resolveModifiedResNet(options: ModifiedResNetOptions = {}): ModifiedResNetSettings {
  const parsed = modifiedResNetSchema.safeParse(options);
  if (!parsed.success)
    throwProblems("modified-resnet", problemsOf(parsed.error, modifiedResNetSchema, options));
  return parsed.data as ModifiedResNetSettings;
}

/** The paper's ResNet in a configuration: `encoders: { image: modifiedResNet({ variant: "RN50x4" }) }`. */
export const modifiedResNet = partConstructor("modified-resnet", modifiedResNetSchema);
