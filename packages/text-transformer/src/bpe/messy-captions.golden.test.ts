// Broken captions of fifteen kinds against open_clip's ids (fixtures/make-messy-captions.py wrote them; versions and seed
// are in the file). MESSY_CAPTIONS names a larger file of the same generator.
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { createBpeTokenizer } from "./bpe-tokenizer.js";
import { cleanText } from "./clean-text.js";

interface Messy {
  readonly open_clip: string;
  readonly ftfy: string;
  readonly context_length: number;
  readonly rows: readonly {
    readonly kind: string;
    readonly text: string;
    readonly ids: readonly number[];
  }[];
}

const file =
  process.env["MESSY_CAPTIONS"] ??
  path.join(import.meta.dirname, "../../fixtures/messy-captions.json");
const messy = JSON.parse(readFileSync(file, "utf8")) as Messy;
const kinds = [...new Set(messy.rows.map(({ kind }) => kind))];

describe(`messy captions (open_clip ${messy.open_clip}, ftfy ${messy.ftfy})`, () => {
  const tokenizer = createBpeTokenizer({ contextLength: messy.context_length, truncate: "cut" });

  test("there are captions of every kind", () => {
    expect(kinds.length).toBe(15);
  });

  test.each(kinds)("%s", (wanted) => {
    const rows = messy.rows.filter(({ kind }) => kind === wanted);
    const got = rows.map(({ text }) => ({ text, ids: tokenizer.encode(text) }));
    expect(got).toEqual(rows.map(({ text, ids }) => ({ text, ids })));
  });
});

// All that is known to differ from open_clip: the tables of the running Node, or Python, decide.
describe("known differences", () => {
  test("characters newer than a side's Unicode version have that version's case and class", () => {
    const newer = String.fromCodePoint(0xa7ce); // a capital letter since Unicode 17; Python 3.11 has 14
    expect(cleanText(newer)).toBe(newer.toLowerCase());
  });
});
