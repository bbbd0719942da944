import { describeEncoderContract, describeTokenizerContract } from "@diptych/testing";
import { createBagOfWordsEncoder } from "./bag-of-words-encoder.js";
import { createBpeTokenizer, createBpeTokenizerFromJson, cutVocabulary } from "./bpe/index.js";
import { createTextEncoder } from "./text-encoder.js";
import {
  buildWordVocabulary,
  createWordTokenizer,
  createWordTokenizerFromJson,
} from "./words/index.js";

const texts = ["a red bird", "two dogs on a sofa", "an emoji of a cup"];

describeEncoderContract({
  name: "text-transformer",
  create: () =>
    createTextEncoder(
      { vocab: 16, contextLength: 6, width: 8, heads: 2, layers: 1 },
      { embedDim: 6 },
    ),
});
describeEncoderContract({
  name: "text-transformer, bidirectional over padding, pooled at its last position",
  create: () =>
    createTextEncoder(
      {
        vocab: 16,
        contextLength: 4,
        width: 8,
        heads: 2,
        layers: 1,
        attention: "bidirectional",
        maskPadding: false,
        pooling: "last",
        projection: "linearBias",
        layerScale: 0.1,
      },
      { embedDim: 6 },
    ),
});
describeEncoderContract({
  name: "bag-of-words",
  create: () => createBagOfWordsEncoder({ vocab: 16, contextLength: 6, width: 8 }, { embedDim: 6 }),
});
describeTokenizerContract({
  name: "bpe",
  create: () => createBpeTokenizer({ truncate: "cut" }),
  restore: (state) => createBpeTokenizerFromJson(state),
  texts,
});
describeTokenizerContract({
  name: "bpe cut to the symbols in use",
  create: () => cutVocabulary(createBpeTokenizer({ truncate: "cut" }), texts),
  restore: (state) => createBpeTokenizerFromJson(state),
  texts,
});
describeTokenizerContract({
  name: "words",
  create: () => createWordTokenizer({ vocabulary: buildWordVocabulary(texts), truncate: "cut" }),
  restore: (state) => createWordTokenizerFromJson(state),
  texts,
});
