/** A language model that reads a picture: texts in, the logits of the id that follows each place out. */
import {
  add,
  checkShapes,
  ConfigError,
  matmul,
  normal,
  shapeOf,
  slice,
  take,
  type BuildContext,
  type Value,
} from "@diptych/core";
import {
  applyLayerNorm,
  applyLinear,
  buildMultimodalTransformer,
  declareLayerNorm,
  inScope,
  lastSize,
  type Activation,
  type BlockInit,
} from "@diptych/nn";
import type { CaptionVocabulary } from "./caption-vocabulary.js";
import { placesOf, shiftVectors } from "./next-ids.js";

export interface TextDecoderSettings {
  /** Of its tokens; where it reads a text tower's tokens, theirs where not given. */
  readonly width?: number | undefined;
  readonly layers: number;
  /** Divides the width; width/64 where not given. */
  readonly heads?: number | undefined;
  /** 4·width where not given. */
  readonly mlpDim?: number | undefined;
  readonly activation: Activation;
  /** Whether ids are told by the same vectors that they are read by (with vectors of its own). */
  readonly tied: boolean;
}

export interface DecoderInputs {
  /** int32 [texts, tokens]. */
  readonly ids: Value;
  /** A text tower's tokens [texts, tokens, width] to read instead of vectors of its own. */
  readonly textTokens?: Value;
  /** A picture's tokens [images, keys, memoryWidth]. */
  readonly memory: Value;
  /** `rows`: text i with picture i. `all`: every text with every picture. */
  readonly pairs: "rows" | "all";
}

const DEFAULT_WIDTH = 512;

/**
 * Logits [images, texts (1 for `rows`), places, vocab]: for each place of a text, of the id that follows
 * (see `buildNextIds`).
 *
 * Names: `token_embedding.weight` [vocab, width] and `positional_embedding` (both only without textTokens),
 * `start_token` [width] (only for texts without a start), `resblocks.<i>.*`, `cross_attn.<i>.*`, `ln_final.*`,
 * `text_projection` [width, vocab] (only where not tied). They start as CLIP's text tower does, with the residual
 * branches of both kinds of blocks counted.
 */
export function buildTextDecoder(
  context: BuildContext,
  { ids, textTokens, memory, pairs }: DecoderInputs,
  { settings, vocabulary }: { settings: TextDecoderSettings; vocabulary: CaptionVocabulary },
): Value {
  const width = decoderWidth(settings, textTokens);
  const { layers, tied } = settings;
  const begin =
    vocabulary.start === undefined
      ? context.scope.parameter("start_token", [width], {
          initializer: normal(0.02),
          weightDecay: false,
        })
      : undefined;
  const { vectors, table } = textTokens
    ? { vectors: textTokens, table: undefined }
    : declareVectors(context, ids, { vocabulary, width });
  const shifted = shiftVectors(vectors, vocabulary, begin);
  const x = textTokens ? shifted : withPositions(context, shifted, vocabulary);
  const output = buildMultimodalTransformer(
    context,
    { x, memory },
    {
      layers,
      pairs,
      heads: settings.heads ?? Math.max(1, Math.round(width / 64)),
      mlpDim: settings.mlpDim ?? 4 * width,
      activation: settings.activation,
      init: blockInit(width, layers),
    },
  );
  const normed = applyLayerNorm(output, declareLayerNorm(inScope(context, "ln_final"), width));
  if (tied && table) return applyLinear(normed, table);
  const projection = context.scope.parameter("text_projection", [width, vocabulary.vocab], {
    initializer: normal(width ** -0.5),
  });
  return matmul(normed, projection);
}

function decoderWidth({ width, heads }: TextDecoderSettings, textTokens?: Value): number {
  const given = textTokens && lastSize(textTokens, "losses/buildTextDecoder");
  const decided = given ?? width ?? DEFAULT_WIDTH;
  if (width !== undefined && width !== decided) {
    throw new ConfigError(
      `losses/captioning: width: expected the text tower's ${decided}, whose tokens the decoder reads, got ${width}. Leave it out, or set over: "ids".`,
    );
  }
  if (heads !== undefined && decided % heads !== 0) {
    throw new ConfigError(
      `losses/captioning: heads: expected a divisor of the width ${decided}, got ${heads}.`,
    );
  }
  return decided;
}

/** The decoder's own vectors of ids: [texts, tokens, width], and their table [vocab, width]. */
function declareVectors(
  context: BuildContext,
  ids: Value,
  { vocabulary, width }: { vocabulary: CaptionVocabulary; width: number },
): { readonly vectors: Value; readonly table: Value } {
  const table = inScope(context, "token_embedding").scope.parameter(
    "weight",
    [vocabulary.vocab, width],
    { initializer: normal(0.02) },
  );
  return { vectors: take(table, ids, 0), table };
}

/** x + the first rows of `positional_embedding`, which has one for each place of the longest text. */
function withPositions({ scope }: BuildContext, x: Value, vocabulary: CaptionVocabulary): Value {
  const { places } = checkShapes("losses/buildTextDecoder", [x, "x", ["texts", "places", "width"]]);
  const width = lastSize(x, "losses/buildTextDecoder");
  const most = Number(placesOf(vocabulary.contextLength, vocabulary));
  const table = scope.parameter("positional_embedding", [most, width], {
    initializer: normal(0.01),
    weightDecay: false,
  });
  return add(x, shapeOf(x)[1] === most ? table : slice(table, [0, 0], [places, width]));
}

/** As OpenAI's `initialize_parameters`, with two blocks a layer. */
function blockInit(width: number, layers: number): BlockInit {
  const output = normal(width ** -0.5 * (4 * layers) ** -0.5);
  return {
    attentionInput: normal(width ** -0.5),
    attentionOutput: output,
    mlpHidden: normal((2 * width) ** -0.5),
    mlpOutput: output,
  };
}
