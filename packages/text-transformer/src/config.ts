/** Configurations of the text towers: strict schemas with their defaults. */
import { problemsOf, throwProblems } from "@diptych/core";
import { partConstructor } from "@diptych/core/plugin";
import { ACTIVATIONS } from "@diptych/nn";
import { z } from "zod";
import { TEXT_VARIANT_NAMES, textVariants } from "./variants.js";

const positiveInteger = z.int().min(1);

const textKeys = z.strictObject({
  /** Sizes to start from; the keys below replace single ones. */
  variant: z.enum(TEXT_VARIANT_NAMES).default("base"),
  width: positiveInteger.optional(),
  layers: positiveInteger.optional(),
  /** Divides the width; width/64 where only the width is given. */
  heads: positiveInteger.optional(),
  /** 4·width where not given. */
  mlpDim: positiveInteger.optional(),
  /** The tokenizer's where not given. */
  vocab: positiveInteger.optional(),
  contextLength: positiveInteger.optional(),
  /** OpenAI's weights need quickGelu. */
  activation: z.enum(ACTIVATIONS).default("gelu"),
  /** `causal`: each token sees those before it; `bidirectional`: all tokens of the text. */
  attention: z.enum(["causal", "bidirectional"]).default("causal"),
  /**
   * Whether a bidirectional tower hides padding. Without (open_clip's no_causal_mask), a text's features depend on how
   * far it is padded, so it is always padded to contextLength.
   */
  maskPadding: z.boolean().default(true),
  /** `eos`: the first end-of-text token; `first`, `last`: that position of the context; `mean`: the text's tokens. */
  pooling: z.enum(["eos", "first", "last", "mean"]).default("eos"),
  /** Id of the end-of-text token; the largest id of each text where not given, which is CLIP's. */
  eosId: z.int().min(0).optional(),
  /** Id that pads texts; without it, everything after the first end-of-text is padding (CLIP's "!" has id 0 too). */
  padId: z.int().min(0).optional(),
  /** Start of LayerScale's gammas; none without it. */
  layerScale: z.number().optional(),
  /** `linear`: into the joint space; `linearBias`: with a bias; `none`: the width is the joint space's. */
  projection: z.enum(["linear", "linearBias", "none"]).default("linear"),
  normEpsilon: z.number().positive().default(1e-5),
});

/** What a user writes. */
export type TextTransformerOptions = z.input<typeof textKeys>;

/** Settings with every size of the tower decided; vocab and contextLength may be left to the tokenizer. */
export interface TextTransformerSettings {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly mlpDim: number;
  readonly vocab?: number;
  readonly contextLength?: number;
  readonly activation: (typeof ACTIVATIONS)[number];
  readonly attention: "causal" | "bidirectional";
  readonly maskPadding: boolean;
  readonly pooling: "eos" | "first" | "last" | "mean";
  readonly eosId?: number;
  readonly projection: "linear" | "linearBias" | "none";
  readonly padId?: number;
  readonly layerScale?: number;
  readonly normEpsilon: number;
}

function decideSizes(keys: z.output<typeof textKeys>): TextTransformerSettings {
  const base = textVariants[keys.variant];
  const width = keys.width ?? base.width;
  const { activation, attention, maskPadding, pooling, projection, normEpsilon } = keys;
  const { vocab, contextLength, padId, eosId, layerScale } = keys;
  const optional = { vocab, contextLength, padId, eosId, layerScale };
  return Object.freeze({
    width,
    layers: keys.layers ?? base.layers,
    heads:
      keys.heads ?? (keys.width === undefined ? base.heads : Math.max(1, Math.round(width / 64))),
    mlpDim: keys.mlpDim ?? 4 * width,
    activation,
    attention,
    maskPadding,
    pooling,
    projection,
    normEpsilon,
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  });
}

/** Strict schema: what the user writes in, settings with every size out. */
export const textTransformerSchema = textKeys
  .superRefine((keys, context) => {
    const { width, heads } = decideSizes(keys);
    if (width % heads === 0) return;
    context.addIssue({
      code: "custom",
      path: ["heads"],
      message: `expected a divisor of the width ${width}, got ${heads}`,
    });
  })
  .transform(decideSizes);

/** Settings from options. @throws ConfigError listing every problem. */
export function resolveTextTransformer(
  options: TextTransformerOptions = {},
): TextTransformerSettings {
  const parsed = textTransformerSchema.safeParse(options);
  if (!parsed.success)
    throwProblems("text-transformer", problemsOf(parsed.error, textTransformerSchema, options));
  return parsed.data as TextTransformerSettings;
}

/** CLIP's text transformer in a configuration: `encoders: { text: textTransformer({ width: 256 }) }`. */
export const textTransformer = partConstructor("text-transformer", textTransformerSchema);

export const bagOfWordsSchema = z.strictObject({
  /** Width of the word vectors. */
  width: positiveInteger.default(128),
  /** The tokenizer's where not given. */
  vocab: positiveInteger.optional(),
  contextLength: positiveInteger.optional(),
  /** Id that pads texts. */
  padId: z.int().min(0).default(0),
  /** Standard deviation of the first word vectors (PyTorch's default 1). */
  initStd: z.number().positive().default(1),
});

export type BagOfWordsOptions = z.input<typeof bagOfWordsSchema>;
export type BagOfWordsSettings = z.output<typeof bagOfWordsSchema>;

/** Settings from options. @throws ConfigError listing every problem. */
export function resolveBagOfWords(options: BagOfWordsOptions = {}): BagOfWordsSettings {
  const parsed = bagOfWordsSchema.safeParse(options);
  if (!parsed.success)
    throwProblems("bag-of-words", problemsOf(parsed.error, bagOfWordsSchema, options));
  return parsed.data as BagOfWordsSettings;
}

/** The bag-of-words tower in a configuration: `encoders: { text: bagOfWords({ width: 128 }) }`. */
export const bagOfWords = partConstructor("bag-of-words", bagOfWordsSchema);
