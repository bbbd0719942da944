/** Configuration of the compact residual tower: a strict schema, its defaults, and the checks that need several keys. */
import { problemsOf, throwProblems } from "@diptych/core";
import { partConstructor } from "@diptych/core/plugin";
import { z } from "zod";

const positiveInteger = z.int().min(1);

const compactKeys = z.strictObject({
  /** Pixels: one number, or [height, width]. */
  imageSize: z.union([positiveInteger, z.tuple([positiveInteger, positiveInteger])]).default(32),
  channels: positiveInteger.default(3),
  /** Channels after the stem; half of it inside. */
  stemWidth: z.int().min(2).default(32),
  /** Channels of each stage. */
  widths: z.array(positiveInteger).min(1).default([32, 64, 128]),
  /** Residual blocks a stage: one number for all, or one each. */
  blocks: z.union([positiveInteger, z.array(positiveInteger)]).default(1),
  /** Stride of each stage's first block; 1 for the first stage and 2 for the others where not given. */
  strides: z.array(z.union([z.literal(1), z.literal(2)])).optional(),
  /** How a stage halves its map: strided convolutions, or an average pool before them (anti-aliased). */
  downsample: z.enum(["stride", "pool"]).default("stride"),
  /** `flatten`: every place of the last map has weights of its own; `mean`: the mean of the map. */
  head: z.enum(["flatten", "mean"]).default("flatten"),
  /** Share of the head's inputs zeroed in training. */
  dropout: z.number().min(0).lt(1).default(0.1),
});

/** What a user writes. */
export type CompactResNetOptions = z.input<typeof compactKeys>;

/** One stage of residual blocks. */
export interface StageSettings {
  readonly width: number;
  readonly blocks: number;
  readonly stride: 1 | 2;
}

/** Settings with every size decided. */
export interface CompactResNetSettings {
  readonly imageHeight: number;
  readonly imageWidth: number;
  readonly channels: number;
  readonly stemWidth: number;
  readonly stages: readonly StageSettings[];
  readonly downsample: "stride" | "pool";
  readonly head: "flatten" | "mean";
  readonly dropout: number;
}

function decideSizes(keys: z.output<typeof compactKeys>): CompactResNetSettings {
  const { imageSize, channels, stemWidth, widths, blocks, strides, downsample, head, dropout } =
    keys;
  const [imageHeight, imageWidth] =
    typeof imageSize === "number" ? [imageSize, imageSize] : imageSize;
  const stages = widths.map((width, i) => ({
    width,
    blocks: typeof blocks === "number" ? blocks : (blocks[i] ?? 1),
    stride: strides?.[i] ?? (i === 0 ? 1 : 2),
  }));
  return Object.freeze({
    imageHeight,
    imageWidth,
    channels,
    stemWidth,
    stages: Object.freeze(stages),
    downsample,
    head,
    dropout,
  });
}

/** What is wrong with keys that are each valid: [key, message]. */
function keyProblems(
  keys: z.output<typeof compactKeys>,
): readonly (readonly [keyof CompactResNetOptions, string])[] {
  const problems: [keyof CompactResNetOptions, string][] = [];
  const count = keys.widths.length;
  for (const key of ["blocks", "strides"] as const) {
    const given = keys[key];
    if (Array.isArray(given) && given.length !== count)
      problems.push([key, `expected one entry for each of ${count} stages, got ${given.length}`]);
  }
  if (keys.stemWidth % 2 !== 0)
    problems.push(["stemWidth", `expected an even number, got ${keys.stemWidth}`]);
  const settings = decideSizes(keys);
  const reduction = 2 * settings.stages.reduce((product, { stride }) => product * stride, 1);
  const { imageHeight, imageWidth } = settings;
  if (imageHeight % reduction !== 0 || imageWidth % reduction !== 0) {
    const nearest = (size: number): number => Math.max(1, Math.round(size / reduction)) * reduction;
    problems.push([
      "imageSize",
      `expected a multiple of ${reduction} (the stem and the strides halve it), got ${imageHeight}×${imageWidth}. Nearest: ${nearest(imageHeight)}×${nearest(imageWidth)}`,
    ]);
  }
  return problems;
}

/** Strict schema: what the user writes in, settings with every size out. */
export const compactResNetSchema = compactKeys
  .superRefine((keys, context) => {
    for (const [key, message] of keyProblems(keys))
      context.addIssue({ code: "custom", path: [key], message });
  })
  .transform(decideSizes);

/** Settings from options. @throws ConfigError listing every problem. */
export function resolveCompactResNet(options: CompactResNetOptions = {}): CompactResNetSettings {
  const parsed = compactResNetSchema.safeParse(options);
  if (!parsed.success)
    throwProblems("compact-resnet", problemsOf(parsed.error, compactResNetSchema, options));
  return parsed.data as CompactResNetSettings;
}

/** The compact tower in a configuration: `encoders: { image: compactResNet({ imageSize: 32 }) }`. */
export const compactResNet = partConstructor("compact-resnet", compactResNetSchema);
