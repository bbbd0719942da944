import { describe, expect, test } from "vitest";
import { hashText, trigrams } from "./trigrams.js";
import { createWordTokenizerFromJson } from "./restore-word-tokenizer.js";
import { createWordTokenizer } from "./word-tokenizer.js";
import { buildWordVocabulary, splitWords } from "./word-vocabulary.js";

const vocabulary = {
  words: ["cat", "red", "kitten", "coffee", "dance", "puppy", "birthday", "iran", "man"],
};
const tokenizer = createWordTokenizer({ vocabulary });
const read = (text: string): string => tokenizer.decode(tokenizer.encode(text));

describe("splitWords", () => {
  test.each([
    ["A RED-hot cat's 2nd nap!", ["a", "red", "hot", "cat", "s", "2nd", "nap"]],
    ["Ｆｕｌｌ ﬁre", ["full", "fire"]],
    ["naïve e\u0301te\u0301", ["naïve", "été"]],
    ["你好 world", ["你", "好", "world"]],
    ["สวัสดี ไทย", ["สวัสดี", "ไทย"]],
    ["😀 !?", []],
  ])("%s", (text, words) => {
    expect(splitWords(text)).toEqual(words.map((word) => word.normalize("NFKC")));
  });
});

describe("buildWordVocabulary", () => {
  test("orders by count, then by letters, whatever the order of the texts", () => {
    const texts = ["b a", "c a", "b a z"];
    expect(buildWordVocabulary(texts).words).toEqual(["a", "b", "c", "z"]);
    expect(buildWordVocabulary(texts.toReversed())).toEqual(buildWordVocabulary(texts));
    expect(buildWordVocabulary(texts, { minCount: 2 }).words).toEqual(["a", "b"]);
    expect(buildWordVocabulary(texts, { maxWords: 1 }).words).toEqual(["a"]);
  });

  test("refuses a corpus without words and counts that make no sense", () => {
    expect(() => buildWordVocabulary(["!!", ""])).toThrow(
      /expected a word that occurs at least 1 times, got none/u,
    );
    expect(() => buildWordVocabulary(["a"], { minCount: 0 })).toThrow(
      /minCount: expected a whole number of at least 1, got 0/u,
    );
  });
});

describe("createWordTokenizer", () => {
  test("ids are positions + 1, 0 pads", () => {
    expect(tokenizer.encode("A RED cat!")).toEqual([2, 1]);
    expect(tokenizer.vocabSize).toBe(10);
    expect(tokenizer.special).toEqual({ pad: 0 });
    const { ids, lengths } = createWordTokenizer({ vocabulary, contextLength: 3 }).encodeBatch([
      "red cat",
      "",
      "zebra",
    ]);
    expect(Array.from(ids)).toEqual([2, 1, 0, 0, 0, 0, 0, 0, 0]);
    expect(Array.from(lengths)).toEqual([2, 0, 0]);
    expect(tokenizer.decode(ids)).toBe("red cat");
  });

  test("an unknown word means another form of a known one, or a slip of one letter, else nothing", () => {
    expect(read("cats kittens puppies")).toBe("cat kitten puppy");
    expect(read("dancing danced dances")).toBe("dance dance dance");
    expect(read("bithday coffe brithday")).toBe("birthday coffee birthday");
    expect(read("coffin iraq mane zebra ca xyz 3cats")).toBe("");
    expect(read("cats")).toBe(read("cats"));
  });

  test("or is dropped, or falls into trigram buckets that never change", () => {
    const drop = createWordTokenizer({ vocabulary, unknown: "drop" });
    expect(drop.encode("red cats")).toEqual([2]);
    const buckets = createWordTokenizer({ vocabulary, unknown: "hash-buckets", buckets: 16 });
    expect(buckets.vocabSize).toBe(26);
    const ids = buckets.encode("red cats");
    expect(ids.slice(1)).toEqual(
      ["^ca", "cat", "ats", "ts$"].map((gram) => 10 + (hashText(gram) % 16)),
    );
    expect(buckets.decode(ids)).toBe("red … … … …");
  });

  test("texts too long are refused, or cut", () => {
    const short = { vocabulary, contextLength: 2 };
    expect(() => createWordTokenizer(short).encode("red cat red")).toThrow(
      'text-transformer/words: text: expected at most 2 ids, got 3 (text "red cat red"). Shorten it, or give the tokenizer truncate: "cut" to keep the beginning.',
    );
    expect(createWordTokenizer({ ...short, truncate: "cut" }).encode("red cat red")).toEqual([
      2, 1,
    ]);
  });

  test("misfits are refused", () => {
    expect(() => createWordTokenizer({ vocabulary: { words: [] } })).toThrow(
      /expected at least one word, each once, got 0/u,
    );
    expect(() => createWordTokenizer({ vocabulary: { words: ["a", "a"] } })).toThrow(
      /got 2 words of which 1 differ/u,
    );
    expect(() => createWordTokenizer({ vocabulary, contextLength: 0 })).toThrow(
      /at least 1, got 0/u,
    );
    expect(() => createWordTokenizer({ vocabulary, buckets: 0 })).toThrow(/buckets: expected/u);
    expect(() => createWordTokenizer({ vocabulary, unknown: "guess" as "drop" })).toThrow(
      /expected one of nearest, drop, hash-buckets, got "guess"/u,
    );
  });

  test("JSON gives the same tokenizer back", () => {
    const restored = createWordTokenizerFromJson(JSON.parse(JSON.stringify(tokenizer)));
    expect(restored.toJSON()).toEqual(tokenizer.toJSON());
    expect(restored.encode("cats, coffe")).toEqual(tokenizer.encode("cats, coffe"));
    expect(() => createWordTokenizerFromJson({ type: "words" })).toThrow(
      /got a misfit \(.*words: /u,
    );
  });
});

test("trigrams mark the ends and count characters; the hash is FNV-1a", () => {
  expect(trigrams("cat")).toEqual(["^ca", "cat", "at$"]);
  expect(trigrams("a")).toEqual(["^a$"]);
  expect(trigrams("😀a")).toEqual(["^😀a", "😀a$"]);
  expect(hashText("")).toBe(0x811c9dc5);
  expect(hashText("foobar")).toBe(0xbf9cf968);
});
