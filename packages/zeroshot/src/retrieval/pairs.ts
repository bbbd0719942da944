/** Which candidates answer which queries: rows of equal groups are positives of each other, n to m, both ways. */
import type { Embeddings } from "../ranking.js";
import { rowLengths } from "../scores/rounding.js";
import { takeRows } from "../scores/score-blocks.js";

/** Rows with what they belong to. */
export interface RetrievalSide {
  /** [rows, width]; rows of length 1, so that dot products are cosines. */
  readonly embeddings: Embeddings;
  /** Concept of each row: rows of equal concepts are positives. */
  readonly concepts: readonly string[];
}

/** The rows of one side that can be compared, with their groups as numbers. */
export interface RankedSide {
  readonly embeddings: Embeddings;
  /** Of each row, in float64. */
  readonly lengths: Float64Array;
  /** Group of each row, of those left out too. */
  readonly groups: Uint32Array;
  /** Where each row stood before rows with values that are not finite were left out. */
  readonly positions: Uint32Array;
  readonly groupOf: Uint32Array;
  /** Rows of each group. */
  readonly members: readonly (readonly number[])[];
  /** Rows in all, and of each group, with those left out. */
  readonly total: number;
  readonly totalOf: readonly number[];
}

/** Both sides with groups numbered alike. */
export function pairSides(
  a: RetrievalSide,
  b: RetrievalSide,
): { readonly a: RankedSide; readonly b: RankedSide } {
  const numbers = new Map<string, number>();
  for (const concept of [...a.concepts, ...b.concepts])
    if (!numbers.has(concept)) numbers.set(concept, numbers.size);
  return { a: rankedSide(a, numbers), b: rankedSide(b, numbers) };
}

function rankedSide(
  { embeddings, concepts }: RetrievalSide,
  numbers: ReadonlyMap<string, number>,
): RankedSide {
  const all = rowLengths(embeddings);
  const positions = Uint32Array.from(all.keys()).filter((row) => Number.isFinite(all[row]));
  const members = Array.from({ length: numbers.size }, (): number[] => []);
  const totalOf = new Array<number>(numbers.size).fill(0);
  const groups = Uint32Array.from(concepts, (concept) => numbers.get(concept) ?? 0);
  for (const group of groups) totalOf[group] = (totalOf[group] ?? 0) + 1;
  const groupOf = Uint32Array.from(positions, (position) => groups[position] ?? 0);
  groupOf.forEach((group, row) => members[group]?.push(row));
  return Object.freeze({
    // As it is where nothing is left out: a copy of 100,000 rows is 200 MB.
    embeddings: positions.length === concepts.length ? embeddings : takeRows(embeddings, positions),
    lengths: all.filter((length) => Number.isFinite(length)),
    groups,
    positions,
    groupOf,
    members,
    total: concepts.length,
    totalOf,
  });
}
