/** Text towers and their tokenizers. */
export * from "./bpe/index.js";
export * from "./words/index.js";
export { createBagOfWordsEncoder, createResolvedBagOfWords } from "./bag-of-words-encoder.js";
export {
  bagOfWords,
  bagOfWordsSchema,
  resolveBagOfWords,
  resolveTextTransformer,
  textTransformer,
  textTransformerSchema,
  type BagOfWordsOptions,
  type BagOfWordsSettings,
  type TextTransformerOptions,
  type TextTransformerSettings,
} from "./config.js";
export { textTransformerPlugin } from "./plugin.js";
export { createResolvedTextEncoder, createTextEncoder } from "./text-encoder.js";
export type { TextDependencies } from "./text-input.js";
export { bpe, bpeSchema, words, wordsSchema } from "./tokenizer-config.js";
export { textVariants, type TextVariant, type TextVariantName } from "./variants.js";
