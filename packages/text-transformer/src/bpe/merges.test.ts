import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { clipMerges, parseMerges } from "./merges.js";
import {
  clipVocabularySha256,
  loadClipVocabulary,
  readClipVocabularyFile,
  readVocabulary,
} from "./vocabulary-file.js";

const utf8 = new TextEncoder();

describe("vocabulary files", () => {
  test("the file shipped is CLIP's", () => {
    const bytes = readClipVocabularyFile();
    expect(bytes.length).toBe(1_356_917);
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(clipVocabularySha256);
  });

  test("CLIP's vocabulary is read once and has 49,406 symbols besides the special two", () => {
    const vocabulary = loadClipVocabulary();
    expect(vocabulary.symbols).toBe(49_406);
    expect(vocabulary.merged.length).toBe(clipMerges);
    expect(loadClipVocabulary()).toBe(vocabulary);
  });

  test("a plain and a gzipped file give the same, blank lines at the end and CRLF do not matter", () => {
    const text = "#version: 0.2\na b\nab c</w>\n\n";
    const plain = readVocabulary(utf8.encode(text));
    expect(plain.symbols).toBe(514);
    expect(readVocabulary(gzipSync(text))).toEqual(plain);
    expect(parseMerges(text.replaceAll("\n", "\r\n"))).toEqual(plain);
  });

  test("of two merges that spell one symbol the later id is used", () => {
    const vocabulary = parseMerges("#\na b\nb c\na bc\nab c");
    expect(Array.from(vocabulary.merged)).toEqual([512, 513, 515, 515]);
  });

  test.each([
    ["no line break", "abc", /expected a header line and merges, got 3 characters/u],
    [
      "three symbols",
      "#\na b c",
      /expected two symbols with a space between, got "a b c" \(line 2\)/u,
    ],
    ["one symbol", "#\na b\nabc", /got "abc" \(line 3\)/u],
    ["an unknown symbol", "#\nxy z", /expected symbols made by other merges, got "xy" \(line 2\)/u],
  ])("%s is refused with its line", (_, text, message) => {
    expect(() => parseMerges(text)).toThrow(message);
  });

  test("truncated gzip data is refused", () => {
    const bytes = readClipVocabularyFile().subarray(0, 10_000);
    expect(() => readVocabulary(bytes)).toThrow(/expected whole gzip data, got 10000 bytes/u);
  });
});
