// Expected values from ftfy 6.3.1 (fix_encoding, fix_text) on Python 3.11.
import { describe, expect, test } from "vitest";
import { codePages, encodeText } from "./code-pages.js";
import { fixEncoding } from "./fix-encoding.js";
import { fixText } from "./fix-text.js";
import { isMojibake } from "./mojibake.js";
import { decodeUtf8, replaceLostBytes, restoreNoBreakSpaces } from "./utf8-bytes.js";

const bytesOf = (text: string): string => String.fromCharCode(...new TextEncoder().encode(text));

describe("fixEncoding", () => {
  test.each([
    ["read as Latin-1", "sch\u00c3\u00b6n", "schön"],
    ["read as windows-1252", "\u00e2\u20ac\u0153quoted\u00e2\u20ac\u009d", "\u201cquoted\u201d"],
    ["read twice", "\u00c3\u0192\u00c2\u00a9t\u00c3\u00a9", "été"],
    ["read as windows-1251", "Р С—РЎР‚Р С‘Р Р†Р ВµРЎвЂљ", "привет"],
    ["a no-break space made plain", "voil\u00c3 le travail", "voilà le travail"],
    ["not before a Portuguese ending", "\u00c3 s vezes", "às vezes"],
    ["a lost byte", "\u00e2\u20ac\u0153 like this \u00e2\u20ac\ufffd", "\u201c like this \ufffd"],
    ["beside text that was not misread", "日本 caf\u00c3\u00a9 日本", "日本 café 日本"],
    ["an emoji in CESU-8", "\u00ed\u00a0\u00bd\u00ed\u00b8\u008d", "😍"],
  ])("%s", (_, text, expected) => {
    expect(fixEncoding(text)).toBe(expected);
  });

  test.each(["café", "Ångström", "à la mode", "Ελληνικά", "你好", "😀", "1² × 2³", "«oui»"])(
    "leaves %s alone",
    (text) => {
      expect(isMojibake(text)).toBe(false);
      expect(fixText(text)).toBe(text);
    },
  );

  test("undoes every single-byte encoding that it knows", () => {
    const text = "naïve café — “déjà vu” ☺";
    for (const page of codePages) {
      const misread = Array.from(
        bytesOf(text),
        (byte) => page.characters[byte.charCodeAt(0)] ?? "",
      ).join("");
      expect(fixEncoding(misread)).toBe(text);
    }
  });
});

describe("code pages", () => {
  test("each byte has one character, and that character the byte", () => {
    for (const page of codePages) {
      expect(new Set(page.characters).size).toBe(256);
      for (let byte = 0; byte < 256; byte += 1)
        expect(encodeText(page, page.characters.charAt(byte))).toBe(String.fromCharCode(byte));
    }
  });

  test("what is not in it cannot be encoded", () => {
    expect(codePages.map((page) => encodeText(page, "字"))).toEqual(codePages.map(() => undefined));
    // 0x1A stands for a lost byte in the sloppy ones, so it cannot stand for itself.
    expect(codePages.map((page) => encodeText(page, "\u001a") === undefined)).toEqual(
      codePages.map(({ sloppy }) => sloppy),
    );
  });
});

describe("UTF-8 from damaged bytes", () => {
  test.each([
    ["UTF-8", bytesOf("é😀"), "é😀"],
    ["a surrogate pair", "\xed\xa0\xbd\xed\xb8\x8d", "😍"],
    ["Java's zero", "a\xc0\x80b", "a\0b"],
    ["a Hangul syllable, which also starts with 0xED", bytesOf("한"), "한"],
    ["one surrogate", "\xed\xa0\xbd", undefined],
    ["an overlong form", "\xc1\xbf", undefined],
    ["a lone continuation", "a\x80", undefined],
    ["0xC0 at the end", "a\xc0", undefined],
  ])("%s", (_, bytes, text) => {
    expect(decodeUtf8(bytes)).toBe(text);
  });

  test("spaces that were no-break spaces, and lost bytes", () => {
    expect(restoreNoBreakSpaces("\xc3 la")).toBe("\xc3\xa0 la");
    expect(restoreNoBreakSpaces("\xe2\x80 x")).toBe("\xe2\x80\xa0x");
    expect(restoreNoBreakSpaces("a b")).toBe("a b");
    expect(replaceLostBytes("\xe2\x80\x1a \x1a \xc3?")).toBe(
      "\xef\xbf\xbd \xef\xbf\xbd \xef\xbf\xbd",
    );
  });
});

describe("long texts", () => {
  test.each([
    ["misread", "sch\u00c3\u00b6n 你好 "],
    ["controls", "\u0080\u0081"],
    ["halves of pairs", "\ud83d"],
    ["entities", "&amp;lt;&notit;"],
  ])("%s are repaired in time that grows with the text", (_, piece) => {
    const started = performance.now();
    const text = piece.repeat(Math.ceil(300_000 / piece.length));
    const start = fixText(piece.repeat(2));
    expect(fixText(text).slice(0, start.length - 1)).toBe(start.slice(0, -1));
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test("segments end between characters, and each is repaired by itself", () => {
    const text = `${"😀".repeat(1_000_001)}\u00c3\u00b6`;
    expect(fixText(text)).toBe(`${"😀".repeat(1_000_001)}ö`);
  });
});
