// Ids of the byte-pair tokenizer against those of open_clip (fixtures/tokenizer.json: its version and ftfy's are in the file).
// DIPTYCH_GOLDENS names another folder laid out alike.
import { readFileSync } from "node:fs";
import path from "node:path";
import { createBpeTokenizer } from "@diptych/text-transformer";
import { describe, expect, test } from "vitest";

const folder = process.env["DIPTYCH_GOLDENS"] ?? path.join(import.meta.dirname, "../../fixtures");

interface Golden {
  readonly open_clip: string;
  readonly context_length: number;
  readonly pad: number;
  readonly rows: readonly {
    readonly text: string;
    readonly ids: readonly number[];
    readonly needs_ftfy: boolean;
  }[];
}

const golden = JSON.parse(readFileSync(path.join(folder, "tokenizer.json"), "utf8")) as Golden;
const rows = golden.rows.map(
  ({ text, ids }, index) => [`${String(index)} ${JSON.stringify(text)}`, text, ids] as const,
);

describe(`tokenizer goldens (open_clip ${golden.open_clip})`, () => {
  const tokenizer = createBpeTokenizer({ contextLength: golden.context_length, truncate: "cut" });

  test("there are rows to compare", () => {
    expect(rows.length).toBeGreaterThan(0);
  });

  test.each(rows)("row %s", (_, text, ids) => {
    expect(tokenizer.encode(text)).toEqual(ids);
    const batch = tokenizer.encodeBatch([text]);
    const padding = Array<number>(golden.context_length - ids.length).fill(golden.pad);
    expect(Array.from(batch.ids)).toEqual([...ids, ...padding]);
    expect(Array.from(batch.lengths)).toEqual([ids.length]);
  });
});
