/** Types of search.js, for those who test it. */
import type { QuantisedRows, SearchIndex } from "../src/report/search-index.js";

export interface SearchOutcome {
  readonly how: "phrase" | "parts" | "nothing";
  readonly used: readonly string[];
  readonly unknown: readonly string[];
  readonly found: readonly { readonly picture: number; readonly similarity: number }[];
}

export interface Search {
  readonly find: (typed: string, count: number) => SearchOutcome;
  readonly suggest: (typed: string, count: number) => readonly string[];
}

export function decodeRows(rows: QuantisedRows): readonly Float32Array[];
export function normaliseText(text: string): string;
export function createSearch(index: SearchIndex): Search;
export function explainMatch(outcome: SearchOutcome, words: SearchIndex["words"]): string;
