/** What every tokenizer promises: ids inside the vocabulary, fixed lengths, and a state that makes it again. */
import { isDiptychError, type Tokenizer, type TokenizerState } from "@diptych/core";
import { describe, expect } from "vitest";
import { registerChecks, type ContractCheck } from "../contract-check.js";

export interface TokenizerContractOptions {
  readonly name: string;
  readonly create: () => Tokenizer | Promise<Tokenizer>;
  /** Makes a tokenizer from what `toJSON` gave. */
  readonly restore: (state: TokenizerState) => Tokenizer | Promise<Tokenizer>;
  /** Texts that the vocabulary covers and the context holds. */
  readonly texts: readonly string[];
}

/** Whatever users type. */
const STRANGE = [
  "",
  " ",
  "\n\t",
  "\0",
  "🧑‍🚀 café ﬁn",
  "\ud800",
  "<|endoftext|>",
  "ÀÉÎ".repeat(3),
  "&amp;lt;",
];

const creating =
  (run: (tokenizer: Tokenizer, options: TokenizerContractOptions) => void | Promise<void>) =>
  async (options: TokenizerContractOptions): Promise<void> =>
    run(await options.create(), options);

/** Texts are short; cutting or refusing long ones has a check of its own. */
function expectIds(
  { special, vocabSize, contextLength }: Tokenizer,
  ids: readonly number[],
  text: string,
): void {
  const what = `ids of ${JSON.stringify(text)}`;
  expect(
    ids.every((id) => Number.isInteger(id) && id >= 0 && id < vocabSize),
    `${what} lie in the vocabulary`,
  ).toBe(true);
  expect(ids.length, `${what} fit the context`).toBeLessThanOrEqual(contextLength);
  if (special.start !== undefined) expect(ids[0], `${what} begin with start`).toBe(special.start);
  if (special.end !== undefined) expect(ids.at(-1), `${what} end with end`).toBe(special.end);
}

/** All ids of a text that is far too long, or undefined where the tokenizer refuses it. */
function encodeLong(tokenizer: Tokenizer, text: string): readonly number[] | undefined {
  try {
    return tokenizer.encode(text);
  } catch (error) {
    expect(
      isDiptychError(error, "DATA"),
      `a text that is too long is cut or refused with a DataError, got ${String(error)}`,
    ).toBe(true);
    return undefined;
  }
}

/** The tokenizer contract as checks, for tests of the suite itself. */
export const tokenizerChecks: readonly ContractCheck<TokenizerContractOptions>[] = [
  {
    name: "has a vocabulary, a context and special ids inside",
    run: creating(({ name, vocabSize, contextLength, special }) => {
      expect(name).not.toBe("");
      expect(Number.isInteger(vocabSize) && vocabSize > 0).toBe(true);
      expect(Number.isInteger(contextLength) && contextLength > 0).toBe(true);
      for (const [key, id] of Object.entries(special))
        expect(Number.isInteger(id) && id >= 0 && id < vocabSize, `${key} is an id`).toBe(true);
    }),
  },
  {
    name: "encodes texts to ids inside the vocabulary, the same each time",
    run: creating((tokenizer, { texts }) => {
      expect(texts.length, "texts of the options").toBeGreaterThan(0);
      for (const text of texts) {
        const ids = tokenizer.encode(text);
        expectIds(tokenizer, ids, text);
        expect(tokenizer.encode(text)).toEqual(ids);
      }
    }),
  },
  {
    name: "tells texts apart",
    run: creating((tokenizer, { texts }) => {
      const distinct = new Set(texts.map((text) => tokenizer.encode(text).join()));
      expect(distinct.size).toBeGreaterThan(texts.length > 1 ? 1 : 0);
    }),
  },
  {
    name: "survives whatever users type",
    run: creating((tokenizer) => {
      for (const text of STRANGE) {
        const ids = encodeLong(tokenizer, text);
        if (ids) expectIds(tokenizer, ids, text);
      }
    }),
  },
  {
    name: "cuts or refuses a text longer than the context",
    run: creating((tokenizer, { texts }) => {
      const long = Array.from({ length: 4 * tokenizer.contextLength }, () => texts[0]).join(" ");
      const ids = encodeLong(tokenizer, long);
      if (ids) expectIds(tokenizer, ids, "a long text");
    }),
  },
  {
    name: "pads batches, with the lengths before padding",
    run: creating((tokenizer, { texts }) => {
      const { ids, lengths, batch, contextLength } = tokenizer.encodeBatch(texts);
      expect(batch).toBe(texts.length);
      expect(contextLength).toBe(tokenizer.contextLength);
      expect(ids).toHaveLength(batch * contextLength);
      texts.forEach((text, row) => {
        const alone = tokenizer.encode(text);
        expect(lengths[row], `length of ${JSON.stringify(text)}`).toBe(alone.length);
        const padded = [
          ...alone,
          ...new Array<number>(contextLength - alone.length).fill(tokenizer.special.pad),
        ];
        expect([...ids.subarray(row * contextLength, (row + 1) * contextLength)]).toEqual(padded);
      });
    }),
  },
  {
    name: "encodes an empty batch",
    run: creating((tokenizer) => {
      const { ids, lengths, batch } = tokenizer.encodeBatch([]);
      expect([ids.length, lengths.length, batch]).toEqual([0, 0, 0]);
    }),
  },
  {
    name: "decodes to a text of the same ids",
    run: creating((tokenizer, { texts }) => {
      for (const text of texts) {
        const ids = tokenizer.encode(text);
        expect(
          tokenizer.encode(tokenizer.decode(ids)),
          `ids after decoding ${JSON.stringify(text)}`,
        ).toEqual(ids);
      }
    }),
  },
  {
    name: "is restored from its state as plain JSON",
    run: creating(async (tokenizer, { restore, texts }) => {
      const state = tokenizer.toJSON();
      expect(typeof state.type === "string" && state.type !== "", "the state names its type").toBe(
        true,
      );
      const read = JSON.parse(JSON.stringify(state)) as TokenizerState;
      expect(read).toEqual(state);
      const restored = await restore(read);
      expect({ ...restored.special }).toEqual({ ...tokenizer.special });
      expect([restored.vocabSize, restored.contextLength]).toEqual([
        tokenizer.vocabSize,
        tokenizer.contextLength,
      ]);
      for (const text of [...texts, ...STRANGE])
        expect(encodeLong(restored, text)).toEqual(encodeLong(tokenizer, text));
    }),
  },
];

/**
 * Registers the tokenizer contract's tests.
 *
 * @example
 * describeTokenizerContract({ name: "words", create, restore: restoreWordTokenizer, texts: ["a red hat"] });
 */
export function describeTokenizerContract(options: TokenizerContractOptions): void {
  describe(`tokenizer contract: ${options.name}`, () =>
    registerChecks(tokenizerChecks, () => options));
}
