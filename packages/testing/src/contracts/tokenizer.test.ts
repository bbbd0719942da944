import { DataError, type TokenBatch, type Tokenizer, type TokenizerState } from "@diptych/core";
import { describe, it } from "vitest";
import { expectFaultsFound } from "../failing-checks.test-support.js";
import {
  describeTokenizerContract,
  tokenizerChecks,
  type TokenizerContractOptions,
} from "./tokenizer.js";

const START = 1;
const END = 2;

/** One id a letter: a is 3; anything else is left out. */
function createLetters(): Tokenizer {
  const letters = (text: string): number[] =>
    [...text.toLowerCase()].filter((c) => c >= "a" && c <= "z").map((c) => c.charCodeAt(0) - 94);
  const tokenizer: Tokenizer = {
    name: "letters",
    vocabSize: 29,
    contextLength: 12,
    special: { pad: 0, start: START, end: END },
    encode: (text) => [START, ...letters(text).slice(0, 10), END],
    encodeBatch: (texts) => {
      const ids = new Int32Array(texts.length * 12);
      const lengths = texts.map((text, row) => {
        const encoded = tokenizer.encode(text);
        ids.set(encoded, row * 12);
        return encoded.length;
      });
      return { ids, lengths: Int32Array.from(lengths), batch: texts.length, contextLength: 12 };
    },
    decode: (ids) =>
      [...ids]
        .filter((id) => id > END)
        .map((id) => String.fromCharCode(id + 94))
        .join(""),
    toJSON: () => ({ type: "letters" }),
  };
  return tokenizer;
}

const options = (
  create: () => Tokenizer,
  restore: (state: TokenizerState) => Tokenizer = create,
): TokenizerContractOptions => ({
  name: "letters",
  create,
  restore,
  texts: ["cat", "a red hat"],
});

describeTokenizerContract(options(createLetters));

/** What the correct tokenizer does, for a fault to build on. */
interface Own {
  readonly encode: (text: string) => readonly number[];
  readonly encodeBatch: (texts: readonly string[]) => TokenBatch;
  readonly decode: (ids: Iterable<number>) => string;
}

describe("the suite", () => {
  const broken = (change: (own: Own) => Partial<Tokenizer>): TokenizerContractOptions =>
    options(() => {
      const letters = createLetters();
      const own: Own = {
        encode: (text) => letters.encode(text),
        encodeBatch: (texts) => letters.encodeBatch(texts),
        decode: (ids) => letters.decode(ids),
      };
      return { ...letters, ...change(own) };
    });

  it("finds every fault", async () => {
    let calls = 0;
    await expectFaultsFound(tokenizerChecks, [
      [
        "a special id outside the vocabulary",
        broken(() => ({ special: { pad: 29 } })),
        /special ids/,
      ],
      [
        "an id outside the vocabulary",
        broken(({ encode }) => ({
          encode: (text) => encode(text).map((id) => (id === 3 ? 99 : id)),
        })),
        /ids inside/,
      ],
      [
        "ids that change",
        broken(({ encode }) => ({
          encode: (text) => [...encode(text).slice(0, -1), 3 + (calls++ % 20), END],
        })),
        /the same each time/,
      ],
      ["one encoding for all", broken(() => ({ encode: () => [START, 5, END] })), /apart/],
      [
        "a crash on an empty text",
        broken(({ encode }) => ({
          encode: (text) => {
            if (text === "") throw new TypeError("empty");
            return encode(text);
          },
        })),
        /whatever users type/,
      ],
      [
        "no end after cutting",
        broken(({ encode }) => ({
          encode: (text) => (text.length > 20 ? encode(text).slice(0, -1) : encode(text)),
        })),
        /longer than the context/,
      ],
      [
        "padding with another id",
        broken(({ encodeBatch }) => ({
          encodeBatch: (texts) => ({
            ...encodeBatch(texts),
            ids: encodeBatch(texts).ids.map((id) => id || 9),
          }),
        })),
        /pads batches/,
      ],
      [
        "lengths of the context",
        broken(({ encodeBatch }) => ({
          encodeBatch: (texts) => ({
            ...encodeBatch(texts),
            lengths: encodeBatch(texts).lengths.fill(12),
          }),
        })),
        /pads batches/,
      ],
      [
        "a crash on an empty batch",
        broken(({ encodeBatch }) => ({
          encodeBatch: (texts) => {
            if (texts.length === 0) throw new RangeError("none");
            return encodeBatch(texts);
          },
        })),
        /empty batch/,
      ],
      [
        "a decoding that loses the end",
        broken(({ decode }) => ({ decode: (ids) => decode([...ids].slice(0, 2)) })),
        /decodes/,
      ],
      [
        "a state that is no JSON",
        broken(() => ({ toJSON: () => ({ type: "letters", size: undefined, map: new Map() }) })),
        /plain JSON/,
      ],
      [
        "a restoration of something else",
        options(createLetters, () => ({ ...createLetters(), vocabSize: 30 })),
        /plain JSON/,
      ],
    ]);
  });

  it("takes a tokenizer that refuses long texts", async () => {
    const strict = broken(({ encode }) => ({
      encode: (text) => {
        if (text.length > 12)
          throw new DataError("letters/encode: text: expected at most 10 letters, got more.");
        return encode(text);
      },
    }));
    for (const { run } of tokenizerChecks) await run(strict);
  });
});
