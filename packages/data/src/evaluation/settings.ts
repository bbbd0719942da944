/** Settings of the evaluation transform: a strict schema, CLIP's defaults, and open_clip's `preprocess_cfg`. */
import { CLIP_MEAN, CLIP_STD, ConfigError } from "@diptych/core";
import { z } from "zod";
import { DEFAULT_PIXEL_LIMIT } from "../image/decode-image.js";

const channels = z.tuple([z.number(), z.number(), z.number()]);
const bytes = z.tuple([byte(), byte(), byte()]);

function byte(): z.ZodInt {
  return z.int().min(0).max(255);
}

export const evaluationSchema = z.strictObject({
  imageHeight: z.int().min(1).default(224),
  imageWidth: z.int().min(1).default(224),
  /** Of values in [0, 1]. */
  mean: channels.default([...CLIP_MEAN]),
  std: channels
    .refine((values) => values.every((value) => value > 0), { message: "expected values above 0" })
    .default([...CLIP_STD]),
  /** `shortest`: the shorter side to size, then the centre. `longest`: the longer side to size, the rest filled. `squash`: both sides to size. */
  resizeMode: z.enum(["shortest", "longest", "squash"]).default("shortest"),
  interpolation: z.enum(["bicubic", "bilinear"]).default("bicubic"),
  /** When pictures become RGB: before resizing (`early`), or after it (`late`: open_clip's own order, in which palettes are resized by nearest neighbour and alpha is premultiplied). */
  rgb: z.enum(["early", "late"]).default("early"),
  /** `exact`: Pillow's arithmetic. `fast`: JPEG and WebP are reduced while decoded and resized by libvips. */
  resize: z.enum(["exact", "fast"]).default("exact"),
  /** EXIF orientation: `ignore`, as open_clip, or `honour`. */
  orientation: z.enum(["ignore", "honour"]).default("ignore"),
  /** Around the picture with `longest`, 0–255. */
  fillColor: byte().default(0),
  /** What transparent pixels show, 0–255; default the colour that they hold, as Pillow's conversion to RGB. */
  background: bytes.optional(),
  /** Most pixels of a picture, checked before it is decoded. */
  maxPixels: z.int().min(1).default(DEFAULT_PIXEL_LIMIT),
});

/** What may be given: everything has a default. */
export type EvaluationOptions = z.input<typeof evaluationSchema>;

export type EvaluationSettings = Readonly<z.output<typeof evaluationSchema>>;

/** @throws ConfigError listing what is wrong. */
export function resolveEvaluationSettings(options: EvaluationOptions = {}): EvaluationSettings {
  const parsed = evaluationSchema.safeParse(options);
  if (parsed.success) return Object.freeze(parsed.data);
  throw new ConfigError(
    `data/evaluation: settings: expected valid settings, got ${listIssues(parsed.error)}. Correct them.`,
  );
}

const onePerChannel = z.union([
  z.tuple([z.number(), z.number(), z.number()]),
  z.number().transform((value): [number, number, number] => [value, value, value]),
]);

/** open_clip/transform.py, PreprocessCfg; keys that it does not know are dropped there and here. */
const preprocessSchema = z.object({
  size: z.union([z.int().min(1), z.array(z.int().min(1)).min(1).max(2)]).nullish(),
  mode: z.literal("RGB").nullish(),
  mean: onePerChannel.nullish(),
  std: onePerChannel.nullish(),
  interpolation: z.enum(["bicubic", "bilinear", "random"]).nullish(),
  resize_mode: z.enum(["shortest", "longest", "squash"]).nullish(),
  fill_color: byte().nullish(),
});

/**
 * The settings that open_clip's `preprocess_cfg` (of `open_clip_config.json`, or of a pretrained tag) stands for;
 * what it leaves out is CLIP's. `size` is one number or [height, width]; `random` interpolation is bicubic when evaluating.
 *
 * @throws ConfigError listing what is wrong.
 */
export function evaluationSettingsFrom(
  preprocessCfg: Readonly<Record<string, unknown>>,
  overrides: EvaluationOptions = {},
): EvaluationSettings {
  const parsed = preprocessSchema.safeParse(preprocessCfg);
  if (!parsed.success) {
    throw new ConfigError(
      `data/evaluation: preprocess_cfg: expected open_clip's keys, got ${listIssues(parsed.error)}. Correct open_clip_config.json.`,
    );
  }
  const { size, mean, std, interpolation, resize_mode, fill_color } = parsed.data;
  const sides = typeof size === "number" ? [size] : (size ?? []);
  const [height, width = height] = sides;
  return resolveEvaluationSettings({
    imageHeight: height,
    imageWidth: width,
    mean: mean ?? undefined,
    std: std ?? undefined,
    interpolation: interpolation === "bilinear" ? "bilinear" : "bicubic",
    resizeMode: resize_mode ?? undefined,
    fillColor: fill_color ?? undefined,
    ...overrides,
  });
}

function listIssues(error: z.ZodError): string {
  return error.issues
    .map(({ path, message }) => (path.length > 0 ? `${path.join(".")}: ${message}` : message))
    .join("; ");
}
