// Against transformers.js itself, given the two files' contents.
import { CLIPTokenizer } from "@huggingface/transformers";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { createBpeTokenizer, type BpeTokenizer } from "./bpe-tokenizer.js";
import { cutVocabulary } from "./cut-vocabulary.js";
import { toHuggingFaceTokenizer } from "./hugging-face-tokenizer.js";

const captions = [
  "a photo of a cat.",
  "A PHOTO OF A DOG",
  "  lots   of\n\twhitespace ",
  "",
  "don't we'll they're I'd I've I'm she's",
  "O'Reilly's 'quoted' text, #hash-tag & more!!",
  "1234567890 3.14159 -42 1e-7",
  "schön café naïve Ελληνικά Привет, мир",
  "你好世界 日本語 한국어 สวัสดี",
  "😀 👩\u200d👩\u200d👧 emoji ❤️",
  "two dogs and a zebra-striped harbour boat in New York, 1999",
];

/** As transformers.js reads it: through JSON, so that nothing depends on what JSON does not keep. */
function load(tokenizer: BpeTokenizer): (text: string) => number[] {
  const files = JSON.parse(JSON.stringify(toHuggingFaceTokenizer(tokenizer))) as {
    tokenizerJson: object;
    tokenizerConfig: object;
  };
  const loaded = new CLIPTokenizer(files.tokenizerJson, files.tokenizerConfig);
  return (text) => loaded.encode(text);
}

describe("toHuggingFaceTokenizer", () => {
  const whole = createBpeTokenizer();

  test("transformers.js gives our ids, for CLIP's vocabulary", () => {
    const encode = load(whole);
    for (const text of captions) expect(encode(text)).toEqual(whole.encode(text));
    expect(encode("how are you doing?")).toEqual([49406, 829, 631, 592, 1960, 286, 49407]);
    expect(encode("<|endoftext|>")).toEqual([49406, 49407, 49407]);
    expect(toHuggingFaceTokenizer(whole).exact).toBe(true);
  });

  test("pads with the end of text up to the context", () => {
    const { tokenizerJson, tokenizerConfig } = toHuggingFaceTokenizer(
      createBpeTokenizer({ contextLength: 5 }),
    );
    const loaded = new CLIPTokenizer(tokenizerJson, tokenizerConfig);
    const { input_ids: ids } = loaded("a dog", { padding: "max_length" });
    expect(ids.tolist()).toEqual([[49406n, 320n, 1929n, 49407n, 49407n]]);
  });

  test("another merges file", () => {
    const vocabulary = gzipSync("#version\na b\nab c</w>\n");
    const other = createBpeTokenizer({ vocabulary });
    const encode = load(other);
    for (const text of ["abc", "ab abc cab", "xyz"])
      expect(encode(text)).toEqual(other.encode(text));
  });

  test("a cut vocabulary keeps the ids of its own texts, and never leaves its range", () => {
    const cut = cutVocabulary(whole, captions);
    const encode = load(cut);
    for (const text of captions) expect(encode(text)).toEqual(cut.encode(text));
    const shuffled = ["photograph catalogue zebras", "harbours", "whitespaces and dogmatic boats"];
    for (const text of shuffled) {
      const ids = encode(text);
      expect([ids[0], ids.at(-1)]).toEqual([cut.special.start, cut.special.end]);
      expect(ids.every((id) => id >= 0 && id < cut.vocabSize)).toBe(true);
      expect(ids.indexOf(cut.special.end)).toBe(ids.length - 1);
    }
    expect(toHuggingFaceTokenizer(cut).exact).toBe(false);
  });

  test("names the special ids as asked", () => {
    const { tokenizerConfig } = toHuggingFaceTokenizer(whole, {
      specialNames: { start: "<start_of_text>", end: "<end_of_text>" },
    });
    expect(tokenizerConfig).toMatchObject({
      bos_token: "<start_of_text>",
      eos_token: "<end_of_text>",
      pad_token: "<end_of_text>",
      model_max_length: 77,
    });
  });
});
