/** The plugin: CLIP's text transformer, the bag of words, and their tokenizers. */
import { definePlugin, textEncoder, tokenizer } from "@diptych/core/plugin";
import { createResolvedBagOfWords } from "./bag-of-words-encoder.js";
import { bagOfWordsSchema, textTransformerSchema } from "./config.js";
import { createResolvedTextEncoder } from "./text-encoder.js";
import {
  bpeSchema,
  createConfiguredBpe,
  createConfiguredWords,
  wordsSchema,
} from "./tokenizer-config.js";

export const textTransformerPlugin = definePlugin({
  name: "@diptych/text-transformer",
  contract: 1,
  provides: [
    textEncoder("text-transformer", {
      summary: "CLIP's causal text transformer",
      schema: textTransformerSchema,
      create: createResolvedTextEncoder,
    }),
    textEncoder("bag-of-words", {
      summary: "mean of word vectors, for captions of a few words",
      schema: bagOfWordsSchema,
      create: createResolvedBagOfWords,
    }),
    tokenizer("bpe", {
      summary: "CLIP's byte-pair tokenizer, whole or cut to the symbols in use",
      schema: bpeSchema,
      create: createConfiguredBpe,
    }),
    tokenizer("words", {
      summary: "whole words of the training captions",
      schema: wordsSchema,
      create: createConfiguredWords,
    }),
  ],
});
