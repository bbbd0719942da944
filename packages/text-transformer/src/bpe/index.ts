/** The byte-pair tokenizer of CLIP. */
export type { BpeTokenizerState } from "./bpe-state.js";
export {
  createBpeTokenizer,
  type BpeTokenizer,
  type BpeTokenizerOptions,
} from "./bpe-tokenizer.js";
export { cutVocabulary } from "./cut-vocabulary.js";
export type { Truncation } from "./fit-context.js";
export { toHuggingFaceTokenizer, type HuggingFaceTokenizer } from "./hugging-face-tokenizer.js";
export { createBpeTokenizerFromJson } from "./restore-bpe-tokenizer.js";
export { openClipSpecialNames, type SpecialNames } from "./split-words.js";
export { clipVocabularySha256 } from "./vocabulary-file.js";
