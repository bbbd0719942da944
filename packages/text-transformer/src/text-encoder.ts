/** CLIP's text transformer. */
import {
  checkShapes,
  ConfigError,
  normal,
  reshape,
  sliceAxis,
  zeros,
  type BuildContext,
  type Encoder,
  type EncoderOutput,
  type Value,
} from "@diptych/core";
import {
  applyLayerNorm,
  buildEmbedding,
  buildLinear,
  buildPositionEmbedding,
  buildProjection,
  buildTransformer,
  clipBlockInit,
  declareLayerNorm,
  inScope,
  takeTokens,
  within,
} from "@diptych/nn";
import {
  resolveTextTransformer,
  type TextTransformerOptions,
  type TextTransformerSettings,
} from "./config.js";
import {
  idsInput,
  vocabularySizes,
  type TextDependencies,
  type VocabularySizes,
} from "./text-input.js";
import { endOfTextPosition, keepOtherThan, keepUntil, meanOfKept } from "./token-pooling.js";

/**
 * CLIP's text tower (arXiv:2103.00020 §2.4; clip/model.py, open_clip's transformer.py): token_embedding →
 * + positional_embedding → blocks (causal) → ln_final → the end-of-text token → text_projection.
 * Parameters have open_clip's names; initial values are those of OpenAI's `initialize_parameters`.
 *
 * Input `text` is int32 [textBatch, textTokens] with textTokens at most contextLength: positions are cut to it, and
 * since causality hides padding after the end-of-text, cutting a batch to its longest text changes nothing. A
 * bidirectional tower masks padding. With pooling `last`, or bidirectional without maskPadding, the length is fixed to
 * contextLength. Intermediates, i from 0: `text/block<i>` [textBatch, textTokens, width] and `text/block<i>/attention`
 * [textBatch, heads, textTokens, textTokens].
 *
 * @throws ConfigError listing every setting that does not fit.
 * @example
 * const text = createTextEncoder({ variant: "base", vocab: 49408, contextLength: 77 }, { embedDim: 512 });
 */
export function createTextEncoder(
  options: TextTransformerOptions,
  dependencies: TextDependencies,
): Encoder {
  return createResolvedTextEncoder(resolveTextTransformer(options), dependencies);
}

/** The same from settings that the schema has resolved. */
export function createResolvedTextEncoder(
  settings: TextTransformerSettings,
  { embedDim, modality = "text", tokenizer }: TextDependencies,
): Encoder {
  const sizes = vocabularySizes("createTextEncoder", settings, tokenizer);
  const { width, attention, maskPadding, pooling, projection } = settings;
  if (projection === "none" && width !== embedDim) {
    throw new ConfigError(
      `text-transformer/createTextEncoder: width: expected embedDim ${embedDim} where projection is "none", got ${width}. Make them equal, or project.`,
    );
  }
  const seesPadding = pooling === "last" || (attention === "bidirectional" && !maskPadding);
  const fixedLength = seesPadding ? sizes.contextLength : undefined;
  return Object.freeze({
    modality,
    embedDim,
    inputs: [idsInput(modality, fixedLength)],
    facts: Object.freeze({ ...sizes, attention }),
    build: (context: BuildContext, inputs: Readonly<Record<string, Value>>) =>
      buildText(context, inputs[modality]!, { ...settings, ...sizes, embedDim, modality }),
  });
}

interface BuildOptions
  extends Omit<TextTransformerSettings, "vocab" | "contextLength">, VocabularySizes {
  readonly embedDim: number;
  readonly modality: string;
}

function buildText(context: BuildContext, ids: Value, options: BuildOptions): EncoderOutput {
  const { width, layers, contextLength, modality, attention, pooling, maskPadding } = options;
  const embedded = buildEmbedding(inScope(context, "token_embedding"), ids, {
    vocab: options.vocab,
    width,
    init: normal(0.02),
  });
  const positioned = buildPositionEmbedding(context, embedded, {
    contextLength,
    init: normal(0.01),
  });
  const end = endOfTextPosition(ids, options.eosId);
  const keep =
    options.padId === undefined ? keepUntil(ids, end) : keepOtherThan(ids, options.padId);
  const { output, intermediates } = within(context, "transformer", (inner) =>
    buildTransformer(inner, positioned, {
      layers,
      heads: options.heads,
      mlpDim: options.mlpDim,
      activation: options.activation,
      normEpsilon: options.normEpsilon,
      path: modality,
      init: clipBlockInit(width, 2 * layers),
      causal: attention === "causal",
      ...(attention === "bidirectional" && maskPadding ? { keep } : {}),
      ...(options.layerScale === undefined ? {} : { layerScale: options.layerScale }),
    }),
  );
  const lastNorm = declareLayerNorm(inScope(context, "ln_final"), width, options.normEpsilon);
  const tokens = applyLayerNorm(output, lastNorm);
  const summary = {
    // The norm works token by token, so the chosen one is normed alone: the same value, less work.
    eos: () => applyLayerNorm(takeTokens(output, end), lastNorm),
    first: () => applyLayerNorm(tokenAt(output, 0), lastNorm),
    last: () => applyLayerNorm(tokenAt(output, contextLength - 1), lastNorm),
    mean: () => meanOfKept(tokens, keep),
  }[pooling]();
  return { pooled: project(context, summary, options), tokens, intermediates };
}

/** `text_projection`: a bare matrix, a linear layer with bias, or nothing. */
function project(
  context: BuildContext,
  summary: Value,
  { projection, width, embedDim }: BuildOptions,
): Value {
  const init = normal(width ** -0.5);
  if (projection === "none") return summary;
  if (projection === "linear")
    return buildProjection(context, summary, { name: "text_projection", embedDim, init });
  return buildLinear(inScope(context, "text_projection"), summary, {
    outFeatures: embedDim,
    weightInit: init,
    biasInit: zeros,
  });
}

/** The token at one position: [batch, tokens, width] → [batch, width]. */
function tokenAt(x: Value, position: number): Value {
  const { batch, width } = checkShapes("text-transformer/tokenAt", [
    x,
    "x",
    ["batch", "tokens", "width"],
  ]);
  return reshape(sliceAxis(x, 1, position, 1), [batch, width]);
}
