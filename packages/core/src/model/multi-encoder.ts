/** A model: encoders by modality into one joint space, with the scale and bias of their similarities (design §5). */
import type { ResolvedConfig } from "../config/resolve.js";
import type { Encoder } from "../contracts/encoder.js";
import type { Tokenizer } from "../contracts/tokenizer.js";
import { checkEmbedDims, checkModalities, checkSharedInputs } from "./cross-checks.js";
import type { TextPrefix } from "./encoder-scopes.js";

/** The learned log of the similarity scale. */
export interface LogitScaleOptions {
  /** Start of log(scale). */
  readonly initial: number;
  /** The update clamps log(scale) into [low, high] after each step. */
  readonly bounds?: readonly [number, number];
}

/** CLIP: ln(1/0.07), kept in [0, ln 100] (paper §2.5; open_clip's train.py clamps so after each step). */
export const CLIP_LOGIT_SCALE: LogitScaleOptions = Object.freeze({
  initial: Math.log(1 / 0.07),
  bounds: Object.freeze([0, Math.log(100)] as const),
});

/** SigLIP: ln 10, without bounds (arXiv:2303.15343 §3.2); its released models learned scales above 100. */
export const SIGLIP_LOGIT_SCALE: LogitScaleOptions = Object.freeze({ initial: Math.log(10) });

/** SigLIP's bias starts at −10, since nearly all pairs are negatives. */
export const SIGLIP_LOGIT_BIAS = -10;

/** What a model is made of; nothing is built yet. */
export interface MultiEncoder {
  readonly encoders: Readonly<Record<string, Encoder>>;
  /** Width of the joint space. */
  readonly embedDim: number;
  readonly logitScale: LogitScaleOptions;
  /** Start of the learned bias; without it the model has none. */
  readonly logitBias?: number;
  readonly textPrefix: TextPrefix;
}

export interface MultiEncoderOptions {
  readonly encoders: Readonly<Record<string, Encoder>>;
  readonly logitScale?: LogitScaleOptions;
  readonly logitBias?: number;
  readonly textPrefix?: TextPrefix;
}

/**
 * A model from its towers.
 *
 * @throws ShapeError where the towers' widths or shared inputs differ; ConfigError without towers or where one is
 * listed under another modality than its own.
 */
export function createMultiEncoder({
  encoders,
  logitScale = CLIP_LOGIT_SCALE,
  logitBias,
  textPrefix = "",
}: MultiEncoderOptions): MultiEncoder {
  checkModalities(encoders);
  const embedDim = checkEmbedDims(encoders);
  checkSharedInputs(encoders);
  return Object.freeze({
    encoders: Object.freeze({ ...encoders }),
    embedDim,
    logitScale,
    textPrefix,
    ...(logitBias === undefined ? {} : { logitBias }),
  });
}

/**
 * The model that a configuration describes: creates each encoder through its plugin.
 *
 * @throws What the plugins' factories throw, and what {@link createMultiEncoder} throws.
 */
export function createConfiguredModel(
  model: ResolvedConfig["model"],
  { tokenizer }: { readonly tokenizer?: Tokenizer } = {},
): MultiEncoder {
  const encoders = Object.entries(model.encoders).map(([modality, { declaration, config }]) => {
    const dependencies = {
      modality,
      embedDim: model.embedDim,
      ...(tokenizer ? { tokenizer } : {}),
    };
    // The declaration's own schema has made `config`, so the factory's type holds.
    return [modality, declaration.create(config as never, dependencies) as Encoder] as const;
  });
  const { initial, max } = model.logitScale;
  return createMultiEncoder({
    encoders: Object.fromEntries(encoders),
    logitScale: {
      initial: Math.log(initial),
      ...(max === null ? {} : { bounds: [0, Math.log(max)] as const }),
    },
    ...(model.logitBias === undefined ? {} : { logitBias: model.logitBias }),
  });
}
