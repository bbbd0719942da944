/**
 * A byte-pair tokenizer in Hugging Face's own format (`tokenizer.json`, `tokenizer_config.json`), which transformers.js
 * and transformers read. That format cleans less than we do: no repair of encodings, quotes, widths or HTML references.
 */
import type { BpeTokenizer } from "./bpe-tokenizer.js";
import { characterOfId } from "./byte-order.js";
import { endOfWord, type BpeVocabulary } from "./merges.js";
import type { SpecialNames } from "./split-words.js";
import { loadClipVocabulary, readVocabulary } from "./vocabulary-file.js";

/** What the two files hold, to be written with `JSON.stringify`. */
export interface HuggingFaceTokenizer {
  /** Contents of `tokenizer.json`. */
  readonly tokenizerJson: Readonly<Record<string, unknown>>;
  /** Contents of `tokenizer_config.json`. */
  readonly tokenizerConfig: Readonly<Record<string, unknown>>;
  /**
   * Whether every plainly written text gets the ids that `tokenizer` gives, in every reader of the format. So it is for a
   * whole vocabulary. With a cut one, transformers.js gives them for texts that consist of its pieces, such as those that it
   * was cut to, and "?" for some pieces of words beyond; readers that need each merge's result in the vocabulary
   * (transformers in Python) refuse the file. The format can only join pieces: ours also takes apart what was not kept.
   */
  readonly exact: boolean;
}

/** The names that OpenAI's and Hugging Face's files give to the special ids. */
const openAiNames: SpecialNames = Object.freeze({
  start: "<|startoftext|>",
  end: "<|endoftext|>",
});

const splitPattern = "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+" as const;

/**
 * `tokenizer` in Hugging Face's format: NFC, white space, lower case; CLIP's split; byte-level BPE; start and end added;
 * padded with the end-of-text id, as CLIP's published files do.
 * The special ids get OpenAI's names unless others are given.
 */
export function toHuggingFaceTokenizer(
  tokenizer: BpeTokenizer,
  { specialNames = openAiNames }: { readonly specialNames?: SpecialNames } = {},
): HuggingFaceTokenizer {
  const { start, end } = tokenizer.special;
  const { vocab, merges, exact } = describeModel(tokenizer);
  vocab.push([specialNames.start, start], [specialNames.end, end]);
  const tokenizerJson = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [addedToken(start, specialNames.start), addedToken(end, specialNames.end)],
    ...textSteps,
    post_processor: {
      type: "RobertaProcessing",
      sep: [specialNames.end, end],
      cls: [specialNames.start, start],
      trim_offsets: false,
      add_prefix_space: false,
    },
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      // Of a whole vocabulary nothing is unknown; of a cut one, a piece that was not kept must not end the text.
      unk_token: exact ? specialNames.end : `?${endOfWord}`,
      continuing_subword_prefix: "",
      end_of_word_suffix: endOfWord,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(vocab),
      merges,
    },
  };
  return Object.freeze({
    tokenizerJson,
    tokenizerConfig: createConfig(tokenizer.contextLength, specialNames),
    exact,
  });
}

const textSteps = {
  normalizer: {
    type: "Sequence",
    normalizers: [
      { type: "NFC" },
      { type: "Replace", pattern: { Regex: "\\s+" }, content: " " },
      { type: "Lowercase" },
    ],
  },
  pre_tokenizer: {
    type: "Sequence",
    pretokenizers: [
      { type: "Split", pattern: { Regex: splitPattern }, behavior: "Removed", invert: true },
      { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    ],
  },
};

function addedToken(id: number, content: string): object {
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  return { id, content, ...flags, special: true };
}

function createConfig(contextLength: number, names: SpecialNames): Record<string, unknown> {
  return {
    tokenizer_class: "CLIPTokenizer",
    bos_token: names.start,
    eos_token: names.end,
    pad_token: names.end,
    unk_token: names.end,
    model_max_length: contextLength,
    add_prefix_space: false,
    do_lower_case: true,
    errors: "replace",
    clean_up_tokenization_spaces: false,
  };
}

interface Model {
  readonly vocab: [string, number][];
  readonly merges: (readonly [string, string])[];
  readonly exact: boolean;
}

function describeModel({ options, originalIds }: BpeTokenizer): Model {
  const vocabulary =
    options.vocabulary === undefined ? loadClipVocabulary() : readVocabulary(options.vocabulary);
  const names = nameSymbols(vocabulary);
  const renumbered = new Int32Array(vocabulary.symbols).fill(-1);
  originalIds.forEach((id, index) => {
    if (id < vocabulary.symbols) renumbered[id] = index;
  });
  const needed = symbolsOnTheWay(vocabulary, renumbered);
  const vocab: [string, number][] = [];
  const merges: (readonly [string, string])[] = [];
  let missing = 0;
  for (let id = 0; id < vocabulary.symbols; id += 1) {
    const name = names[id] ?? "";
    const known = renumbered[id] ?? -1;
    if (known >= 0) vocab.push([name, known]);
    else missing += 1;
    const left = vocabulary.left[id] ?? -1;
    if (left >= 0 && needed[id] === 1)
      merges.push([names[left] ?? "", names[vocabulary.right[id] ?? -1] ?? ""]);
  }
  return { vocab, merges, exact: missing === 0 };
}

/** How a merges file writes each symbol. */
function nameSymbols({ symbols, left, right }: BpeVocabulary): string[] {
  const names = [...characterOfId, ...characterOfId.map((character) => character + endOfWord)];
  for (let id = names.length; id < symbols; id += 1)
    names.push((names[left[id] ?? -1] ?? "") + (names[right[id] ?? -1] ?? ""));
  return names;
}

/** 1 for each kept symbol and for all that it is merged from. */
function symbolsOnTheWay({ symbols, left, right }: BpeVocabulary, kept: Int32Array): Uint8Array {
  const needed = Uint8Array.from(kept, (id) => (id >= 0 ? 1 : 0));
  for (let id = symbols - 1; id >= 512; id -= 1) {
    if (needed[id] !== 1) continue;
    needed[left[id] ?? -1] = 1;
    needed[right[id] ?? -1] = 1;
  }
  return needed;
}
