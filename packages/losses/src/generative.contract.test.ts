import { hostTensorFrom, symbolDim, type InputSpec } from "@diptych/core";
import { describeLossContract, type LossContractOptions } from "@diptych/testing";
import { createBagOfWordsPrediction } from "./bag-of-words-prediction.js";
import { createCaptioning } from "./captioning.js";
import { bagOfWordsPredictionSchema, captioningSchema } from "./generative-config.js";

const bpe = { vocab: 8, contextLength: 5, pad: 0, start: 6, end: 7 };
const words = { vocab: 8, contextLength: 5, pad: 0 };

/** Texts with start and end, of several lengths, one of which fills its context. */
const BPE_IDS = [6, 1, 2, 7, 0, 6, 3, 7, 0, 0, 6, 5, 5, 0, 7, 6, 7, 0, 0, 0];
/** Words alone; no text is without words, so that the mean over samples is one over all. */
const WORD_IDS = [1, 2, 0, 0, 0, 3, 0, 0, 0, 0, 5, 5, 1, 2, 7, 4, 3, 0, 0, 0];

const textOf =
  (ids: readonly number[]): NonNullable<LossContractOptions["feed"]> =>
  ({ name, dtype }: InputSpec, shape) =>
    hostTensorFrom(
      dtype,
      shape,
      name === "text"
        ? ids.slice(0, shape[0]! * shape[1]!)
        : Array.from({ length: shape[0]! }, (_, i) => i),
    );

const inputs: NonNullable<LossContractOptions["inputs"]> = [
  { name: "text", shape: [symbolDim("textBatch"), 5], dtype: "int32" },
];
const tiny = { width: 4, heads: 2, layers: 1, mlpDim: 4 };

describeLossContract({
  name: "captioning, ids with start and end",
  create: () => createCaptioning(captioningSchema.parse(tiny), bpe),
  inputs,
  feed: textOf(BPE_IDS),
});
describeLossContract({
  name: "captioning, words, a mean over texts",
  create: () =>
    createCaptioning(
      captioningSchema.parse({ ...tiny, average: "texts", rows: "texts", tied: false }),
      words,
    ),
  inputs,
  feed: textOf(WORD_IDS),
});
describeLossContract({
  name: "captioning over the text tower's tokens",
  create: () =>
    createCaptioning(captioningSchema.parse({ heads: 1, layers: 1, mlpDim: 2, over: "tokens" }), {
      ...words,
    }),
  tokens: { tokens: 5, width: 4 },
  inputs,
  feed: textOf(WORD_IDS),
});
for (const objective of ["softmax", "logistic"] as const) {
  describeLossContract({
    name: `bag-of-words-prediction, ${objective}`,
    create: () =>
      createBagOfWordsPrediction(bagOfWordsPredictionSchema.parse({ objective }), words),
    inputs,
    feed: textOf(WORD_IDS),
  });
}
