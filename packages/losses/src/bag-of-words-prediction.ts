/** Bag-of-words prediction: one linear layer tells from a picture's features which words its caption has. */
import {
  argmax,
  broadcast,
  cast,
  checkShapes,
  div,
  equal,
  greater,
  itemInput,
  itemInputName,
  logSoftmax,
  matmul,
  max,
  mul,
  neg,
  reduceMax,
  reshape,
  scalar,
  scatterAdd,
  shapeOf,
  softplus,
  sub,
  sum,
  take,
  takeAlong,
  type BuildContext,
  type Loss,
  type LossInputs,
  type Value,
} from "@diptych/core";
import { buildLinear, inScope } from "@diptych/nn";
import type { CaptionVocabulary } from "./caption-vocabulary.js";
import type { BagOfWordsPredictionSettings } from "./generative-config.js";
import { keepWords } from "./next-ids.js";
import { buildPartners } from "./partners.js";
import { auxiliaryOf } from "./similarity.js";
import { idsOf, outputOf } from "./tower-values.js";

const WHERE = "losses/bag-of-words-prediction";

/**
 * Which words a picture's caption has, whatever their order: the second method of arXiv:2103.00020 figure 2, after Joulin
 * et al. 2016 (arXiv:1511.02251). Logits z = W·features + b over the vocabulary, from the features as pooled, not
 * normalised. Start, end and padding are no words; pictures without a caption, or whose caption has no word, are left out.
 *
 * `softmax` (Joulin et al. §3.2 equation 1, with the target scaled to sum 1): −Σ_w share(w)·log softmax(z)_w, share(w) the
 * word's count over the caption's words. `logistic` (their one-versus-all): Σ_v softplus(z_v) − Σ_w z_w over the caption's
 * different words w. Either is a mean over pictures.
 *
 * Scores [images, texts]: `softmax`: Σ log softmax(z)_w over the words of the text; `logistic`:
 * Σ_w z_w − Σ_v softplus(z_v), the logarithm of the probability that just these words are there. With `scores: "mean"` the
 * sum over w is divided by its number of terms. A text without words scores an empty sum.
 *
 * Parameters: `words.weight` [vocab, embedDim], `words.bias`. Metrics: `wordAccuracy`, the share of pictures whose most
 * probable word their caption has.
 *
 * @throws ConfigError, when built, where the model has no such modality or no input of texts.
 */
export function createBagOfWordsPrediction(
  settings: BagOfWordsPredictionSettings,
  vocabulary: CaptionVocabulary,
): Loss {
  const { image, text, objective, scores } = settings;
  const logitsOf = (context: BuildContext, inputs: LossInputs): Value =>
    buildLinear(inScope(context, "words"), outputOf(WHERE, inputs, image).pooled, {
      outFeatures: vocabulary.vocab,
    });
  return Object.freeze({
    name: "bag-of-words-prediction",
    needs: ["features", "inputs"] as const,
    auxiliary: [itemInput(image), itemInput(text)],
    scope: "sample" as const,
    build: (context: BuildContext, inputs: LossInputs) => {
      const logits = logitsOf(context, inputs);
      const caption = captionsOf(inputs, settings, vocabulary);
      checkShapes(
        WHERE,
        [logits, "logits", ["images", "vocab"]],
        [caption.ids, "captions", ["images", "tokens"]],
      );
      const cost = { softmax: softmaxCost, logistic: logisticCost }[objective](logits, caption);
      const counted = cast(greater(sum(caption.words, { axes: [1] }), 0), "float32");
      const pictures = max(sum(counted), 1);
      return {
        loss: div(sum(mul(cost, counted)), pictures),
        metrics: { wordAccuracy: div(sum(hits(logits, caption)), pictures) },
      };
    },
    buildScores: (context: BuildContext, inputs: LossInputs) => {
      const logits = logitsOf(context, inputs);
      const ids = idsOf(WHERE, inputs, text);
      const bag = { ids, words: cast(keepWords(ids, vocabulary), "float32") };
      return { softmax: softmaxScores, logistic: logisticScores }[objective](logits, bag, scores);
    },
  } satisfies Loss);
}

/** Ids of texts, int32 [texts, tokens], and which of them are words, 1 or 0 of the same shape. */
interface Bag {
  readonly ids: Value;
  readonly words: Value;
}

/** The caption of each picture. */
function captionsOf(
  inputs: LossInputs,
  { image, text }: BagOfWordsPredictionSettings,
  vocabulary: CaptionVocabulary,
): Bag {
  const imageItem = auxiliaryOf(WHERE, inputs, itemInputName(image));
  const textItem = auxiliaryOf(WHERE, inputs, itemInputName(text));
  const { index, present } = buildPartners(imageItem, textItem);
  const ids = take(idsOf(WHERE, inputs, text), index, 0);
  const [rows = 1] = shapeOf(ids);
  const words = mul(cast(keepWords(ids, vocabulary), "float32"), reshape(present, [rows, 1]));
  return { ids, words };
}

/** [images] */
function softmaxCost(logits: Value, { ids, words }: Bag): Value {
  const each = mul(words, takeAlong(logSoftmax(logits), ids, 1));
  return neg(div(sum(each, { axes: [1] }), max(sum(words, { axes: [1] }), 1)));
}

/** [images] */
function logisticCost(logits: Value, bag: Bag): Value {
  const there = mul(presence(bag, logits), logits);
  return sum(sub(softplus(logits), there), { axes: [1] });
}

/** 1 for a picture whose most probable word is in its caption: [images]. */
function hits(logits: Value, { ids, words }: Bag): Value {
  const [rows = 1] = shapeOf(ids);
  const best = reshape(argmax(logits, 1), [rows, 1]);
  return reduceMax(mul(words, cast(equal(ids, best), "float32")), { axes: [1] });
}

/** 1 where a text has the word: float32 [texts, vocab], as wide as logits [images, vocab]. */
function presence({ ids, words }: Bag, logits: Value): Value {
  const [texts = 1] = shapeOf(ids);
  const [, vocab = 1] = shapeOf(logits);
  const nothing = broadcast(reshape(scalar(0), [1, 1]), [texts, vocab]);
  return cast(greater(scatterAdd(nothing, ids, words, 1), 0), "float32");
}

/** [images, texts] */
function softmaxScores(logits: Value, { ids, words }: Bag, scores: "sum" | "mean"): Value {
  const [texts = 1, tokens = 1] = shapeOf(ids);
  const each = take(logSoftmax(logits), ids, 1);
  const total = sum(mul(each, reshape(words, [1, texts, tokens])), { axes: [2] });
  return scores === "sum" ? total : div(total, countsAcross(words));
}

/** [images, texts] */
function logisticScores(logits: Value, bag: Bag, scores: "sum" | "mean"): Value {
  const there = presence(bag, logits);
  const total = matmul(logits, there, { transposeB: true });
  const none = sum(softplus(logits), { axes: [1], keepDims: true });
  return sub(scores === "sum" ? total : div(total, countsAcross(there)), none);
}

/** Σ along rows of [texts, n], at least 1: [1, texts]. */
function countsAcross(rows: Value): Value {
  const [texts = 1] = shapeOf(rows);
  return max(reshape(sum(rows, { axes: [1] }), [1, texts]), 1);
}
