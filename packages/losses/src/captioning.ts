/** Captioning: a text decoder learns to say what a picture shows, one id after another. */
import {
  argmax,
  broadcast,
  cast,
  checkShapes,
  div,
  equal,
  itemInput,
  itemInputName,
  logSoftmax,
  logSumExp,
  max,
  mul,
  neg,
  reshape,
  shapeOf,
  sub,
  sum,
  take,
  takeAlong,
  type BuildContext,
  type Loss,
  type LossInputs,
  type Value,
} from "@diptych/core";
import { inScope } from "@diptych/nn";
import type { CaptionVocabulary } from "./caption-vocabulary.js";
import type { CaptioningSettings } from "./generative-config.js";
import { buildNextIds, type NextIds } from "./next-ids.js";
import { buildPartners } from "./partners.js";
import { auxiliaryOf } from "./similarity.js";
import { idsOf, tokensOf } from "./tower-values.js";
import { buildTextDecoder } from "./text-decoder.js";

const WHERE = "losses/captioning";

/**
 * −log p(text | picture) by a transformer that is shown the ids so far (teacher forcing) and the picture's tokens: the
 * baseline of arXiv:2103.00020 §2.3 and figure 2 ("a 63 million parameter transformer language model"), and the second
 * term of CoCa (arXiv:2205.01917 §3.2).
 *
 * loss = mean of −log softmax(logits)[next id] over the places of texts up to and including their end, padding left out:
 * over all places of the batch (`average: "tokens"`, as open_clip's CoCaLoss), or over each text and then over texts
 * (`"texts"`). The m-th picture of a sample goes with its m-th caption, or with its first where it has fewer; rows
 * without a partner are left out.
 *
 * Decoder: layers of open_clip's MultimodalTransformer (causal self-attention, then attention over the picture), under
 * `text_decoder.` in the loss's scope. Where it reads ids (`over: "ids"`), it has vectors and positions of its own, and by
 * default tells ids by the same vectors (with the defaults and CLIP's vocabulary 63 M values); where it reads the text
 * tower's tokens (`over: "tokens"`), it is CoCa's, and the tower must be causal: a token that has seen its successor
 * gives the answer away.
 *
 * Scores [images, texts]: log p(text | picture), the sum over its ids and its end; with `scores: "mean"` divided by
 * their number, which favours longer texts.
 *
 * Metrics: `tokenAccuracy`, the share of places whose most probable id is right.
 *
 * @throws ConfigError, when built, on an encoder without tokens or a text input that is not there.
 */
export function createCaptioning(
  settings: CaptioningSettings,
  vocabulary: CaptionVocabulary,
): Loss {
  const { image, text, average, over } = settings;
  return Object.freeze({
    name: "captioning",
    needs: ["tokens", "inputs"] as const,
    auxiliary: [itemInput(image), itemInput(text)],
    scope: average === "tokens" ? ("batch" as const) : ("sample" as const),
    build: (context: BuildContext, inputs: LossInputs) => {
      const shown = pairUp(inputs, settings);
      const textTokens = over === "tokens" ? shown.textTokens : undefined;
      const logits = buildTextDecoder(
        inScope(context, "text_decoder"),
        { ...shown, ...(textTokens ? { textTokens } : {}), pairs: "rows" },
        { settings, vocabulary },
      );
      return meanCrossEntropy(logits, buildNextIds(shown.ids, vocabulary), {
        present: shown.present,
        average,
      });
    },
    buildScores: (context: BuildContext, inputs: LossInputs) => {
      const ids = idsOf(WHERE, inputs, text);
      const logits = buildTextDecoder(
        inScope(context, "text_decoder"),
        {
          ids,
          memory: tokensOf(WHERE, inputs, image),
          pairs: "all",
          ...(over === "tokens" ? { textTokens: tokensOf(WHERE, inputs, text) } : {}),
        },
        { settings, vocabulary },
      );
      return logProbabilities(logits, buildNextIds(ids, vocabulary), settings.scores);
    },
  } satisfies Loss);
}

interface Shown {
  /** int32 [rows, tokens]. */
  readonly ids: Value;
  /** [rows, keys, memoryWidth]. */
  readonly memory: Value;
  /** [rows, tokens, width], where the decoder reads them. */
  readonly textTokens?: Value;
  /** float32 [rows]: 0 for a row without a partner. */
  readonly present: Value;
}

/** Pictures with a caption each, or captions with a picture each. */
function pairUp(inputs: LossInputs, { image, text, rows, over }: CaptioningSettings): Shown {
  const ids = idsOf(WHERE, inputs, text);
  const memory = tokensOf(WHERE, inputs, image);
  const textTokens = over === "tokens" ? tokensOf(WHERE, inputs, text) : undefined;
  const imageItem = auxiliaryOf(WHERE, inputs, itemInputName(image));
  const textItem = auxiliaryOf(WHERE, inputs, itemInputName(text));
  checkShapes(
    WHERE,
    [memory, "tokens", ["images", "keys", "memoryWidth"]],
    [imageItem, itemInputName(image), ["images"]],
    [ids, text, ["texts", "tokens"]],
    [textItem, itemInputName(text), ["texts"]],
  );
  if (rows === "texts") {
    const { index, present } = buildPartners(textItem, imageItem);
    const pictures = take(memory, index, 0);
    return { ids, memory: pictures, present, ...(textTokens ? { textTokens } : {}) };
  }
  const { index, present } = buildPartners(imageItem, textItem);
  return {
    ids: take(ids, index, 0),
    memory,
    present,
    ...(textTokens ? { textTokens: take(textTokens, index, 0) } : {}),
  };
}

/** logits [rows, 1, places, vocab]. */
function meanCrossEntropy(
  logits: Value,
  { targets, keep }: NextIds,
  { present, average }: { readonly present: Value; readonly average: "tokens" | "texts" },
): { readonly loss: Value; readonly metrics: Readonly<Record<string, Value>> } {
  const [rows = 1, , places = 1, vocab = 1] = shapeOf(logits);
  const each = reshape(logits, [rows, places, vocab]);
  const chosen = takeAlong(logSoftmax(each), reshape(targets, [rows, places, 1]), 2);
  const weights = mul(cast(keep, "float32"), reshape(present, [rows, 1]));
  const costs = mul(weights, neg(reshape(chosen, [rows, places])));
  const right = mul(weights, cast(equal(argmax(each, 2), targets), "float32"));
  const count = max(sum(weights), 1);
  return {
    loss:
      average === "tokens"
        ? div(sum(costs), count)
        : div(
            sum(div(sum(costs, { axes: [1] }), max(sum(weights, { axes: [1] }), 1))),
            max(sum(present), 1),
          ),
    metrics: { tokenAccuracy: div(sum(right), count) },
  };
}

/** logits [images, texts, places, vocab] → [images, texts]. */
function logProbabilities(
  logits: Value,
  { targets, keep }: NextIds,
  scores: "sum" | "mean",
): Value {
  const [images = 1, texts = 1, places = 1] = shapeOf(logits);
  const asked = broadcast(reshape(targets, [1, texts, places, 1]), [images, texts, places, 1]);
  const chosen = sub(takeAlong(logits, asked, 3), logSumExp(logits, { axis: 3, keepDims: true }));
  const weights = cast(keep, "float32");
  const total = sum(
    mul(reshape(chosen, [images, texts, places]), reshape(weights, [1, texts, places])),
    { axes: [2] },
  );
  return scores === "sum" ? total : div(total, reshape(sum(weights, { axes: [1] }), [1, texts]));
}
