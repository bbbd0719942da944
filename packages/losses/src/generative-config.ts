/** Configurations of the losses that predict texts: strict schemas with their defaults, and the constructors for config files. */
import { partConstructor, type Part } from "@diptych/core/plugin";
import { ACTIVATIONS } from "@diptych/nn";
import { z } from "zod";
import { weightedSum } from "./config.js";

const modality = z.string().min(1);
const positiveInteger = z.int().min(1);

export const captioningSchema = z.strictObject({
  image: modality.default("image"),
  text: modality.default("text"),
  /** Of the decoder; 512 where not given, or what the text tower's tokens have. */
  width: positiveInteger.optional(),
  /** Each a causal block and a block over the picture. */
  layers: positiveInteger.default(6),
  /** Divides the width; width/64 where not given. */
  heads: positiveInteger.optional(),
  /** 4·width where not given. */
  mlpDim: positiveInteger.optional(),
  activation: z.enum(ACTIVATIONS).default("gelu"),
  /** What the decoder reads: ids, by vectors of its own, or the text tower's tokens (CoCa). */
  over: z.enum(["ids", "tokens"]).default("ids"),
  /** Whether ids are told by the vectors that they are read by; has no meaning over tokens. */
  tied: z.boolean().default(true),
  /** A row for each picture, with one of its captions; or for each caption, with one of its pictures. */
  rows: z.enum(["images", "texts"]).default("images"),
  /** Mean over all places of the batch, or over each text and then over texts. */
  average: z.enum(["tokens", "texts"]).default("tokens"),
  /** What a text's score is: the logarithm of its probability, or that by place. */
  scores: z.enum(["sum", "mean"]).default("sum"),
});
export type CaptioningSettings = Readonly<z.output<typeof captioningSchema>>;

/** Captioning by a text decoder in a configuration: `captioning({ width: 256, layers: 2 })`. */
export const captioning = partConstructor("captioning", captioningSchema);

export const bagOfWordsPredictionSchema = z.strictObject({
  image: modality.default("image"),
  text: modality.default("text"),
  /** One softmax over the vocabulary, or a yes-or-no question for each word. */
  objective: z.enum(["softmax", "logistic"]).default("softmax"),
  /** What a text's score is: the logarithm of its words' probability, or that by word. */
  scores: z.enum(["sum", "mean"]).default("sum"),
});
export type BagOfWordsPredictionSettings = Readonly<z.output<typeof bagOfWordsPredictionSchema>>;

/** Prediction of a caption's words in a configuration. */
export const bagOfWordsPrediction = partConstructor(
  "bag-of-words-prediction",
  bagOfWordsPredictionSchema,
);

export interface CocaOptions {
  /** 1 by default, as in open_clip and for the paper's models. */
  readonly contrastiveWeight?: number;
  /** 2 by default. */
  readonly captioningWeight?: number;
  /** The contrastive term; `info-nce` by default. */
  readonly contrastive?: Part;
  /** Of the captioning term, whose decoder reads the text tower's tokens. */
  readonly captioning?: Omit<z.input<typeof captioningSchema>, "over">;
}

/**
 * CoCa's loss in a configuration: contrastiveWeight·InfoNCE + captioningWeight·captioning (arXiv:2205.01917 equation 4),
 * with open_clip's weights, and a decoder on the text tower's tokens.
 */
export const coca = ({
  contrastiveWeight = 1,
  captioningWeight = 2,
  contrastive = { type: "info-nce" },
  captioning: decoder = {},
}: CocaOptions = {}): ReturnType<typeof weightedSum> =>
  weightedSum({
    terms: [
      { loss: contrastive, weight: contrastiveWeight, name: "contrastive" },
      { loss: captioning({ ...decoder, over: "tokens" }), weight: captioningWeight },
    ],
  });
