// Expected ids from open_clip's SimpleTokenizer (3.3.0); the golden test holds many more.
import { describe, expect, test } from "vitest";
import { createBpeTokenizer } from "./bpe-tokenizer.js";

const tokenizer = createBpeTokenizer();
const words = (text: string): readonly number[] => tokenizer.encode(text).slice(1, -1);

/** A repeatable stream of numbers below a bound. */
function createDice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe("encode", () => {
  test("starts and ends with the special ids", () => {
    expect(tokenizer.encode("a photo of a cat.")).toEqual([
      49406, 320, 1125, 539, 320, 2368, 269, 49407,
    ]);
    expect(tokenizer.encode("")).toEqual([49406, 49407]);
    expect(tokenizer.encode(" \n")).toEqual([49406, 49407]);
    expect([tokenizer.vocabSize, tokenizer.contextLength]).toEqual([49408, 77]);
    expect(tokenizer.special).toEqual({ start: 49406, end: 49407, pad: 0 });
  });

  test.each([
    ["😀 👩\u200d👩\u200d👧", [7334, 26304, 26304, 964, 356]],
    ["你好世界", [47466, 254, 29290, 121, 19759, 244, 163, 243, 490]],
    [
      "สวัสดี ภาษาไทย",
      [37883, 30245, 14978, 37883, 38825, 20278, 1777, 254, 12330, 102, 11529, 31718, 245, 33091],
    ],
    [
      "ΟΔΥΣΣΕΥΣ Σ",
      [138, 123, 138, 112, 139, 227, 139, 225, 139, 225, 138, 113, 139, 227, 139, 480, 139, 481],
    ],
    ["İstanbul", [328, 16384, 11231]],
    ["x'ſ <ſtart_of_text>", [343, 6, 129, 379, 27, 129, 123, 16707, 62, 684, 62, 18169, 285]],
    ["!\u0345!", [256, 256]],
    ["<|startoftext|>", [27, 347, 993, 6659, 4160, 91, 285]],
    ["schön caf\u0065\u0301 \u201cquoted\u201d", words('schön café "quoted"')],
  ])("%s", (text, ids) => {
    expect(words(text)).toEqual(ids);
  });

  test("special names in a text become the ids; a text ends at its first end", () => {
    expect(tokenizer.encode("<start_of_text> <END_OF_TEXT> more")).toEqual([49406, 49406, 49407]);
    const openai = createBpeTokenizer({
      specialNames: { start: "<|startoftext|>", end: "<|endoftext|>" },
    });
    expect(openai.encode("a <|endoftext|> b")).toEqual([49406, 320, 49407]);
    expect(openai.decode(openai.encode("<end_of_text>"))).toBe("< end _ of _ text >");
  });

  test("is the same cold and warm", () => {
    const fresh = createBpeTokenizer();
    const first = fresh.encode("two pelicans over harbour-front cafés");
    expect(fresh.encode("two pelicans over harbour-front cafés")).toEqual(first);
    expect(tokenizer.encode("two pelicans over harbour-front cafés")).toEqual(first);
  });

  test("the cache's bound changes no ids", () => {
    const small = createBpeTokenizer({ contextLength: 1_000_000 });
    const many = Array.from({ length: 66_000 }, (_, index) => `w${index.toString(36)}`).join(" ");
    expect(small.encode(many)).toEqual(small.encode(many));
    expect(small.encode("a dog")).toEqual([49406, 320, 1929, 49407]);
  });

  test("never throws, whatever the characters", () => {
    const dice = createDice(1);
    const long = createBpeTokenizer({ contextLength: 4096 });
    const ceilings = [0x80, 0x250, 0x3000, 0x10000, 0x110000];
    for (let index = 0; index < 3000; index += 1) {
      const ceiling = ceilings[index % ceilings.length] ?? 0x80;
      const text = Array.from({ length: dice(40) }, () => String.fromCodePoint(dice(ceiling))).join(
        "",
      );
      const ids = long.encode(text);
      expect(ids.every((id) => Number.isInteger(id) && id >= 0 && id < 49408)).toBe(true);
      expect([ids[0], ids.at(-1)]).toEqual([49406, 49407]);
    }
  });
});

describe("decode", () => {
  test("gives back lower-case ASCII, spaces apart", () => {
    const dice = createDice(2);
    const characters = Array.from("abcdefghijklmnopqrstuvwxyz0123456789  .,!?-");
    for (let index = 0; index < 500; index += 1) {
      const text = Array.from(
        { length: 1 + dice(40) },
        () => characters[dice(characters.length)] ?? "a",
      ).join("");
      expect(tokenizer.decode(tokenizer.encode(text)).replaceAll(" ", "")).toBe(
        text.replaceAll(" ", ""),
      );
    }
    expect(tokenizer.decode(tokenizer.encode("A photo of  a cat"))).toBe("a photo of a cat");
  });

  test("gives back other scripts", () => {
    for (const text of ["你好世界", "😀", "naïve"])
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    // Marks are words of their own to CLIP, so spaces come between.
    for (const text of ["สวัสดี", "हिन्दी"])
      expect(tokenizer.decode(tokenizer.encode(text)).replaceAll(" ", "")).toBe(text);
  });

  test("stops at the end, so padding does not show", () => {
    const { ids } = tokenizer.encodeBatch(["a dog"]);
    expect(tokenizer.decode(ids)).toBe("a dog");
  });

  test("refuses ids that are not its own", () => {
    expect(() => tokenizer.decode([49408])).toThrow(/expected ids from 0 to 49407, got 49408/u);
    expect(() => tokenizer.decode([-1])).toThrow(/got -1/u);
  });
});

describe("context", () => {
  const long = "a very long caption about a cat and a dog and a bird and so on";

  test("a longer text is refused by default, with its beginning, length, the limit and the way out", () => {
    const short = createBpeTokenizer({ contextLength: 8 });
    expect(() => short.encode(long)).toThrow(
      'text-transformer/bpe: text: expected at most 8 ids, got 18 (text "a very long caption about a cat and a dog and a …"). Shorten it, or give the tokenizer truncate: "cut" to keep the beginning.',
    );
    expect(() => short.encodeBatch(["fits", long])).toThrow(
      expect.objectContaining({ code: "DATA" }),
    );
  });

  test('"cut" keeps the beginning and the end id', () => {
    const cut = createBpeTokenizer({ contextLength: 8, truncate: "cut" });
    expect(cut.encode(long)).toEqual([...tokenizer.encode(long).slice(0, 7), 49407]);
    expect(cut.decode(cut.encode(long))).toBe("a very long caption about a");
  });

  test("cut or whole, the ids before the cut are the same, whatever the length", () => {
    const texts = [
      long,
      "a",
      "",
      "<end_of_text> a",
      "a b <end_of_text> c d e f",
      `${"z".repeat(40)}<end_of_text>${"z".repeat(40)}`,
      "supercalifragilisticexpialidocious antidisestablishmentarianism",
    ];
    for (const contextLength of [2, 3, 5, 8, 16, 17, 18, 19, 40]) {
      const cut = createBpeTokenizer({ contextLength, truncate: "cut" });
      for (const text of texts) {
        const whole = tokenizer.encode(text);
        const expected =
          whole.length <= contextLength ? whole : [...whole.slice(0, contextLength - 1), 49407];
        expect(cut.encode(text)).toEqual(expected);
        const { ids, lengths } = cut.encodeBatch([text]);
        expect(Array.from(ids.subarray(0, lengths[0]))).toEqual(expected);
      }
    }
  });

  test("a text of many megabytes is cut without trouble", () => {
    const cut = createBpeTokenizer({ contextLength: 8, truncate: "cut" });
    const expected = cut.encode("a bc def a bc def a bc");
    expect(cut.encode("a bc def ".repeat(1_000_000))).toEqual(expected);
    expect(cut.encode(`${"a bc def ".repeat(1_000_000)}&`)).toEqual(expected);
  });

  test("a batch is padded row by row", () => {
    const { ids, lengths, batch, contextLength } = createBpeTokenizer({
      contextLength: 5,
    }).encodeBatch(["a dog", ""]);
    expect(Array.from(ids)).toEqual([49406, 320, 1929, 49407, 0, 49406, 49407, 0, 0, 0]);
    expect(Array.from(lengths)).toEqual([4, 2]);
    expect([batch, contextLength]).toEqual([2, 5]);
    expect(tokenizer.encodeBatch([]).ids.length).toBe(0);
  });

  test.each([1, 2.5, Number.NaN])("a context of %s is refused", (contextLength) => {
    expect(() => createBpeTokenizer({ contextLength })).toThrow(
      /expected a whole number of at least 2/u,
    );
  });

  test("other misfits are refused", () => {
    expect(() => createBpeTokenizer({ truncate: "never" as "cut" })).toThrow(
      /expected "cut" or "error", got "never"/u,
    );
    expect(() => createBpeTokenizer({ specialNames: { start: "<S>", end: "<e>" } })).toThrow(
      /expected lower-case names/u,
    );
    expect(() => createBpeTokenizer({ keep: [49408] })).toThrow(
      /expected ids from 0 to 49407, got 49408/u,
    );
  });
});
