/** A language model that reads a picture: texts in, the logits of the id that follows each place out. */
import { ConfigError, normal, take, type BuildContext, type Value } from "@diptych/core";
import {
  applyLinear,
  buildLayerNorm,
  buildMultimodalTransformer,
  buildPositionEmbedding,
  buildProjection,
  clipBlockInit,
  inScope,
  lastSize,
  type Activation,
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
  const x = textTokens
    ? shifted
    : buildPositionEmbedding(context, shifted, {
        contextLength: Number(placesOf(vocabulary.contextLength, vocabulary)),
        init: normal(0.01),
      });
  const output = buildMultimodalTransformer(
    context,
    { x, memory },
    {
      layers,
      pairs,
      heads: settings.heads ?? Math.max(1, Math.round(width / 64)),
      mlpDim: settings.mlpDim ?? 4 * width,
      activation: settings.activation,
      init: clipBlockInit(width, 4 * layers),
    },
  );
  const normed = buildLayerNorm(inScope(context, "ln_final"), output);
  if (tied && table) return applyLinear(normed, table);
  return buildProjection(context, normed, {
    name: "text_projection",
    embedDim: vocabulary.vocab,
    init: normal(width ** -0.5),
  });
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
