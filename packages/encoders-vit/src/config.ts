/** Configuration of the vision transformer: a strict schema, its defaults, and the checks that need several keys. */
import { problemsOf, throwProblems } from "@diptych/core";
import { partConstructor } from "@diptych/core/plugin";
import { ACTIVATIONS } from "@diptych/nn";
import { z } from "zod";
import { VIT_VARIANT_NAMES, vitVariants } from "./variants.js";

const positiveInteger = z.int().min(1);

const vitKeys = z.strictObject({
  /** Sizes to start from; the keys below replace single ones. */
  variant: z.enum(VIT_VARIANT_NAMES).default("B/32"),
  /** Pixels: one number, or [height, width]. */
  imageSize: z.union([positiveInteger, z.tuple([positiveInteger, positiveInteger])]).default(224),
  channels: positiveInteger.default(3),
  /** Pixels along a patch's side; divides the image. */
  patchSize: positiveInteger.optional(),
  width: positiveInteger.optional(),
  layers: positiveInteger.optional(),
  /** Divides the width; width/64 where only the width is given. */
  heads: positiveInteger.optional(),
  /** 4·width where not given. */
  mlpDim: positiveInteger.optional(),
  /** OpenAI's weights need quickGelu. */
  activation: z.enum(ACTIVATIONS).default("gelu"),
  /** `tok`: the class token; `avg`: the mean of the patches, without it. */
  pooling: z.enum(["tok", "avg"]).default("tok"),
  /** Pools before the last norm instead of after it (open_clip's final_ln_after_pool). */
  normAfterPool: z.boolean().default(false),
  positions: z.enum(["learned", "sinCos"]).default("learned"),
  /** Share of patches left out in training (FLIP, arXiv:2212.00794). */
  patchDropout: z.number().min(0).lt(1).default(0),
  /** Start of LayerScale's gammas; none without it. */
  layerScale: z.number().optional(),
  normEpsilon: z.number().positive().default(1e-5),
});

/** What a user writes. */
export type VitOptions = z.input<typeof vitKeys>;

/** Settings with every size decided. */
export interface VitSettings {
  readonly imageHeight: number;
  readonly imageWidth: number;
  readonly channels: number;
  readonly patchSize: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly mlpDim: number;
  readonly activation: (typeof ACTIVATIONS)[number];
  readonly pooling: "tok" | "avg";
  readonly normAfterPool: boolean;
  readonly positions: "learned" | "sinCos";
  readonly patchDropout: number;
  readonly layerScale?: number;
  readonly normEpsilon: number;
}

function decideSizes(keys: z.output<typeof vitKeys>): VitSettings {
  const { variant, imageSize, layerScale, ...rest } = keys;
  const base = vitVariants[variant];
  const [imageHeight, imageWidth] =
    typeof imageSize === "number" ? [imageSize, imageSize] : imageSize;
  const width = keys.width ?? base.width;
  return Object.freeze({
    ...rest,
    imageHeight,
    imageWidth,
    patchSize: keys.patchSize ?? base.patchSize,
    width,
    layers: keys.layers ?? base.layers,
    heads:
      keys.heads ?? (keys.width === undefined ? base.heads : Math.max(1, Math.round(width / 64))),
    mlpDim: keys.mlpDim ?? 4 * width,
    ...(layerScale === undefined ? {} : { layerScale }),
  });
}

/** What is wrong with sizes that are each valid: [key, message]. */
function sizeProblems(settings: VitSettings): readonly (readonly [keyof VitOptions, string])[] {
  const { imageHeight, imageWidth, patchSize, width, heads, positions } = settings;
  const problems: [keyof VitOptions, string][] = [];
  const image = imageHeight === imageWidth ? `${imageHeight}` : `${imageHeight}×${imageWidth}`;
  if (imageHeight % patchSize !== 0 || imageWidth % patchSize !== 0) {
    problems.push([
      "patchSize",
      `expected a divisor of the image size ${image}, got ${patchSize}. ${nearestSizes(settings)}`,
    ]);
  }
  if (width % heads !== 0)
    problems.push(["heads", `expected a divisor of the width ${width}, got ${heads}`]);
  if (positions === "sinCos" && width % 4 !== 0)
    problems.push(["width", `expected a multiple of 4 for sinCos positions, got ${width}`]);
  return problems;
}

/** `Fitting patch sizes: 4, 8; or image sizes for 7: 28, 35.` */
function nearestSizes({ imageHeight, imageWidth, patchSize }: VitSettings): string {
  const divisors = Array.from(
    { length: Math.min(imageHeight, imageWidth) },
    (_, i) => i + 1,
  ).filter((size) => imageHeight % size === 0 && imageWidth % size === 0);
  const nearest = [
    divisors.filter((size) => size < patchSize).at(-1),
    divisors.find((size) => size > patchSize),
  ].filter((size) => size !== undefined);
  const around = (size: number): readonly number[] => {
    const below = Math.floor(size / patchSize) * patchSize;
    return size % patchSize === 0 ? [size] : [below, below + patchSize].filter((n) => n > 0);
  };
  const heights = around(imageHeight);
  const images =
    imageHeight === imageWidth
      ? heights.join(", ")
      : heights.flatMap((h) => around(imageWidth).map((w) => `${h}×${w}`)).join(", ");
  return `Nearest patch sizes that fit: ${nearest.join(", ")}; nearest image sizes for patches of ${patchSize}: ${images}.`;
}

/** Strict schema: what the user writes in, settings with every size out. */
export const vitSchema = vitKeys
  .superRefine((keys, context) => {
    for (const [key, message] of sizeProblems(decideSizes(keys)))
      context.addIssue({ code: "custom", path: [key], message });
  })
  .transform(decideSizes);

/** Settings from options. @throws ConfigError listing every problem. */
export function resolveVit(options: VitOptions = {}): VitSettings {
  const parsed = vitSchema.safeParse(options);
  if (!parsed.success) throwProblems("vit", problemsOf(parsed.error, vitSchema, options));
  return parsed.data as VitSettings;
}

/** A vision transformer in a configuration: `encoders: { image: vit({ variant: "B/32" }) }`. */
export const vit = partConstructor("vit", vitSchema);
