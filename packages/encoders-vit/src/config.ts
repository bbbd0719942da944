/** Configuration of the vision transformer: a strict schema, its defaults, and the checks that need several keys. */
import { problemsOf, throwProblems } from "@diptych/core";
import { partConstructor } from "@diptych/core/plugin";
import { ACTIVATIONS } from "@diptych/nn";
import { z } from "zod";
import { VIT_VARIANT_NAMES, vitVariants } from "./variants.js";

const positiveInteger = z.int().min(1);

const attentionPoolKeys = z.strictObject({
  /** Learned queries (open_clip's attn_pooler_queries is 256). */
  queries: positiveInteger.default(1),
  /** Divides the width of the joint space. */
  heads: positiveInteger.default(8),
  /** What becomes the picture's vector: the answer to the first query, or the mean of those to the others. */
  take: z.enum(["tok", "avg"]).default("tok"),
});

/** Settings of pooling by attention. */
export type AttentionPoolSettings = Readonly<z.output<typeof attentionPoolKeys>>;

const vitKeys = z.strictObject({
  /** Sizes to start from; the keys below replace single ones. */
  variant: z.enum(VIT_VARIANT_NAMES).default("B/32"),
  /** Pixels: one number, or [height, width]; the variant's where not given. */
  imageSize: z.union([positiveInteger, z.tuple([positiveInteger, positiveInteger])]).optional(),
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
  /** `tok`: the class token; `avg`: the mean of the patches, without it; `attention`: learned queries ask all tokens. */
  pooling: z.enum(["tok", "avg", "attention"]).default("tok"),
  /** Of pooling by attention. */
  attentionPool: attentionPoolKeys.optional(),
  /** Norm before the first block (open_clip's no_ln_pre turns it off). */
  normBefore: z.boolean().default(true),
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
  readonly pooling: "tok" | "avg" | "attention";
  /** Given where `pooling` is `attention`. */
  readonly attentionPool?: AttentionPoolSettings;
  readonly normBefore: boolean;
  readonly normAfterPool: boolean;
  readonly positions: "learned" | "sinCos";
  readonly patchDropout: number;
  readonly layerScale?: number;
  readonly normEpsilon: number;
}

function decideSizes(keys: z.output<typeof vitKeys>): VitSettings {
  const { variant, imageSize, layerScale, attentionPool, ...rest } = keys;
  const base = vitVariants[variant];
  const size = imageSize ?? base.imageSize;
  const [imageHeight, imageWidth] = typeof size === "number" ? [size, size] : size;
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
    ...(keys.pooling === "attention"
      ? { attentionPool: Object.freeze(attentionPool ?? attentionPoolKeys.parse({})) }
      : {}),
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

/** What is wrong between pooling and its settings. */
function poolingProblems({
  pooling,
  attentionPool,
  normAfterPool,
}: z.output<typeof vitKeys>): readonly (readonly [keyof VitOptions, string])[] {
  const problems: [keyof VitOptions, string][] = [];
  if (pooling === "attention" && normAfterPool)
    problems.push(["normAfterPool", "has no meaning with pooling by attention, got true"]);
  if (!attentionPool) return problems;
  if (pooling !== "attention")
    problems.push(["attentionPool", `expected only with pooling "attention", got "${pooling}"`]);
  if (attentionPool.take === "avg" && attentionPool.queries < 2)
    problems.push([
      "attentionPool",
      `expected at least 2 queries to take the mean of all but the first, got ${attentionPool.queries}`,
    ]);
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
    for (const [key, message] of [...sizeProblems(decideSizes(keys)), ...poolingProblems(keys)])
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
