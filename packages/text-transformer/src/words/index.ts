/** The word tokenizer of the bag-of-words tower. */
export { createWordTokenizerFromJson } from "./restore-word-tokenizer.js";
export type { WordTokenizerState } from "./word-state.js";
export {
  createWordTokenizer,
  type UnknownWords,
  type WordTokenizer,
  type WordTokenizerOptions,
} from "./word-tokenizer.js";
export { buildWordVocabulary, type WordVocabulary } from "./word-vocabulary.js";
