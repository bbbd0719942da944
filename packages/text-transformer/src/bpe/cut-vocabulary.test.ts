import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { createBpeTokenizer } from "./bpe-tokenizer.js";
import { cutVocabulary } from "./cut-vocabulary.js";
import { createBpeTokenizerFromJson } from "./restore-bpe-tokenizer.js";

const corpus = ["a photo of a cat", "a drawing of two dogs", "a photo of a house"];
const whole = createBpeTokenizer({ contextLength: 64 });
const cut = cutVocabulary(whole, corpus);

describe("cutVocabulary", () => {
  test("keeps what the corpus uses, single bytes and the special ids", () => {
    const used = new Set(
      corpus.flatMap((text) => whole.encode(text).slice(1, -1)).filter((id) => id >= 512),
    );
    expect(cut.vocabSize).toBe(512 + used.size + 2);
    expect(cut.special).toEqual({ start: cut.vocabSize - 2, end: cut.vocabSize - 1, pad: 0 });
  });

  test("the corpus keeps its pieces, renumbered in order", () => {
    for (const text of corpus) {
      const ids = cut.encode(text);
      expect(ids.map((id) => cut.originalIds[id])).toEqual(whole.encode(text));
      expect(Math.max(...ids)).toBe(ids.at(-1));
    }
    expect(Array.from(cut.originalIds)).toEqual(Array.from(cut.originalIds).sort((a, b) => a - b));
  });

  test("any other text falls back to smaller pieces and reads the same", () => {
    for (const text of ["a zebra on parade", "你好 😀 สวัสดี", "photos of houses, 1999!"]) {
      const ids = cut.encode(text);
      expect(ids.every((id) => id >= 0 && id < cut.vocabSize)).toBe(true);
      expect(cut.decode(ids)).toBe(whole.decode(whole.encode(text)));
    }
  });

  test("rare pieces can be left out, and a cut vocabulary cut again", () => {
    const frequent = cutVocabulary(whole, corpus, { minCount: 2 });
    expect(frequent.vocabSize).toBeLessThan(cut.vocabSize);
    const again = cutVocabulary(cut, ["a cat"]);
    expect(again.encode("a cat").map((id) => again.originalIds[id])).toEqual(whole.encode("a cat"));
    expect(again.vocabSize).toBe(514 + 1); // "a" is a single byte
  });

  test("texts longer than the context still count whole", () => {
    const short = createBpeTokenizer({ contextLength: 4, truncate: "cut" });
    expect(cutVocabulary(short, corpus).vocabSize).toBe(cut.vocabSize);
  });

  test("a tokenizer without a cut keeps all ids", () => {
    expect(whole.originalIds.length).toBe(49408);
    expect([whole.originalIds[0], whole.originalIds[49407]]).toEqual([0, 49407]);
  });
});

describe("JSON", () => {
  test("carries the tokenizer through a checkpoint", () => {
    const restored = createBpeTokenizerFromJson(JSON.parse(JSON.stringify(cut)));
    expect(restored.vocabSize).toBe(cut.vocabSize);
    expect(restored.toJSON()).toEqual(cut.toJSON());
    for (const text of [...corpus, "unseen 😀"])
      expect(restored.encode(text)).toEqual(cut.encode(text));
    expect(createBpeTokenizerFromJson(whole.toJSON()).encode(corpus[0] ?? "")).toEqual(
      whole.encode(corpus[0] ?? ""),
    );
  });

  test("another merges file must come along, and be the same", () => {
    const vocabulary = gzipSync("#version\na b\nab c</w>\n");
    const other = createBpeTokenizer({ vocabulary, contextLength: 9 });
    const json: unknown = JSON.parse(JSON.stringify(other));
    expect(other.encode("abc")).toEqual([514, 513, 515]);
    expect(createBpeTokenizerFromJson(json, { vocabulary }).encode("abc")).toEqual([514, 513, 515]);
    expect(() => createBpeTokenizerFromJson(json)).toThrow(
      /expected the merges file with sha256 [0-9a-f]{64}, got none/u,
    );
    expect(() => createBpeTokenizerFromJson(json, { vocabulary: new Uint8Array([1]) })).toThrow(
      /got 4bf5122f/u,
    );
  });

  test("anything else is refused with its paths", () => {
    const broken = { ...cut.toJSON(), truncate: "maybe", extra: 1 };
    expect(() => createBpeTokenizerFromJson(broken)).toThrow(/truncate: .*extra/su);
    expect(() => createBpeTokenizerFromJson(null)).toThrow(
      expect.objectContaining({ code: "CONFIG" }),
    );
  });
});

test("the package ships the vocabulary", () => {
  const manifest = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  ) as { files: string[] };
  expect(manifest.files).toContain("data");
});
