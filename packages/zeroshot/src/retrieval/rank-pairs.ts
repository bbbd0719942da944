/**
 * Ranks of each query's best positive, both ways, exact to float64 and without the matrix of scores.
 *
 * Float32 products, blocked as the backend likes, bound each rank from both sides by a proven error bound; queries that
 * the bounds leave open are counted again, near scores in float64.
 */
import { ShapeError, type Compute } from "@diptych/core";
import { exactScore, narrowsProducts, relativeSlack } from "../scores/rounding.js";
import { eachScoreBlock, takeRows } from "../scores/score-blocks.js";
import { BLOCKS, countScores, type BlockSizes, type ScoreCounts } from "./count-scores.js";
import { pairSides, type RankedSide, type RetrievalSide } from "./pairs.js";
import { findThresholds, type Thresholds } from "./thresholds.js";

export interface RankPairsOptions {
  readonly compute: Compute;
  /** What must be exact: the rank of each query, or on which side of each of these numbers it lies. */
  readonly decide: "ranks" | readonly number[];
  readonly blocks?: BlockSizes;
  readonly signal?: AbortSignal | undefined;
  readonly report?: ((done: number, total: number) => void) | undefined;
}

/** By row of a side: rank from 0 of its best positive; NaN without a positive. Exact as far as was asked for. */
export interface PairRanks {
  readonly a: Float64Array;
  readonly b: Float64Array;
}

/**
 * Rank (from 0) of each row's best positive on the other side: how many of the rows there that are no positives score at
 * least as high, by dot products in float64.
 *
 * Ties count against the query. So does what is not finite: a candidate with such a value stands before every other,
 * and a query with one, or whose positives all have one, ranks after all candidates.
 *
 * Memory: what is given, 20 bytes a row, and the blocks (some 100 MB). Time: one product of all rows with all others.
 *
 * @throws ShapeError where widths differ or concepts are not one a row.
 */
export async function rankPairs(
  first: RetrievalSide,
  second: RetrievalSide,
  options: RankPairsOptions,
): Promise<PairRanks> {
  checkSides(first, second);
  if (second.concepts.length > first.concepts.length) {
    // Columns are arranged for products block by block, which costs the less the fewer there are.
    const { a, b } = await rankPairs(second, first, options);
    return Object.freeze({ a: b, b: a });
  }
  const { a, b } = pairSides(first, second);
  const { compute, blocks = BLOCKS } = options;
  const width = a.embeddings.shape[1] ?? 0;
  const narrows = await narrowsProducts(compute, {
    rows: Math.min(a.groupOf.length, blocks.rows),
    columns: Math.min(b.groupOf.length, blocks.columns),
    width,
  });
  const slack = relativeSlack(width, narrows);
  const rowThresholds = findThresholds(a, b, slack);
  const columnThresholds = findThresholds(b, a, slack);
  const counts = await countScores({
    ...options,
    rows: a.embeddings,
    columns: b.embeddings,
    rowThresholds,
    columnThresholds,
  });
  const asked = (queries: RankedSide, candidates: RankedSide) => ({ queries, candidates, options });
  return Object.freeze({
    a: await settleRanks({ ...asked(a, b), thresholds: rowThresholds, counts: counts.rows }),
    b: await settleRanks({ ...asked(b, a), thresholds: columnThresholds, counts: counts.columns }),
  });
}

function checkSides(first: RetrievalSide, second: RetrievalSide): void {
  const [a, b] = [first.embeddings.shape[1], second.embeddings.shape[1]];
  if (a !== b) {
    throw new ShapeError(
      `zeroshot/rankPairs: width: expected one of both sides, got ${a} and ${b}.`,
    );
  }
  for (const { embeddings, concepts } of [first, second]) {
    if (embeddings.shape[0] === concepts.length) continue;
    throw new ShapeError(
      `zeroshot/rankPairs: concepts: expected one for each of ${embeddings.shape[0]} rows, got ${concepts.length}.`,
    );
  }
}

interface OpenRanks {
  readonly queries: RankedSide;
  readonly candidates: RankedSide;
  readonly thresholds: Thresholds;
  readonly counts: ScoreCounts;
  readonly options: RankPairsOptions;
}

async function settleRanks(asked: OpenRanks): Promise<Float64Array> {
  const { queries, candidates, thresholds, counts, options } = asked;
  const ranks = new Float64Array(queries.total).fill(NaN);
  const open: number[] = [];
  const place = (row: number, above: number): void => {
    const group = queries.groupOf[row] ?? 0;
    ranks[queries.positions[row] ?? 0] = above + brokenOthers(candidates, group);
  };
  for (let row = 0; row < queries.groupOf.length; row++) {
    if (thresholds.best[row] === -Infinity) continue;
    const lower = counts.high[row] ?? 0;
    const upper = (counts.low[row] ?? 0) - (thresholds.certain[row] ?? 0);
    const bounded = Number.isFinite(thresholds.low[row]) && Number.isFinite(thresholds.high[row]);
    const extra = brokenOthers(candidates, queries.groupOf[row] ?? 0);
    if (bounded && isDecided(lower + extra, upper + extra, options.decide)) place(row, lower);
    else open.push(row);
  }
  const settled = await countAgain(open, asked);
  open.forEach((row, i) => {
    place(row, settled[i] ?? NaN);
  });
  placeLast(ranks, asked);
  return ranks;
}

/** Candidates that are no positives and have values that are not finite. */
function brokenOthers({ total, totalOf, groupOf, members }: RankedSide, group: number): number {
  const ownBroken = (totalOf[group] ?? 0) - (members[group]?.length ?? 0);
  return total - groupOf.length - ownBroken;
}

function isDecided(lower: number, upper: number, decide: RankPairsOptions["decide"]): boolean {
  if (decide === "ranks") return lower === upper;
  return decide.every((k) => lower < k === upper < k);
}

/** Queries that have a positive but cannot be compared with it. */
function placeLast(ranks: Float64Array, { queries, candidates }: OpenRanks): void {
  queries.groups.forEach((group, position) => {
    const hasPositive = (candidates.totalOf[group] ?? 0) > 0;
    if (hasPositive && Number.isNaN(ranks[position])) ranks[position] = candidates.total;
  });
}

/** Exact counts for the queries at `rows`: float32 scores outside of the interval count as they are, others in float64. */
async function countAgain(
  rows: readonly number[],
  { queries, candidates, thresholds, options }: OpenRanks,
): Promise<Uint32Array> {
  const { best, low, high } = thresholds;
  const counts = new Uint32Array(rows.length);
  const { compute, signal } = options;
  const asked = { compute, signal, queries: takeRows(queries.embeddings, rows) };
  await eachScoreBlock({ ...asked, candidates: candidates.embeddings }, (block) => {
    for (let i = 0; i < block.queries; i++) {
      const row = rows[block.firstQuery + i] ?? 0;
      const [under, over, top] = [low[row] ?? 0, high[row] ?? 0, best[row] ?? 0];
      const group = queries.groupOf[row];
      let above = 0;
      for (let j = 0, at = i * block.stride; j < block.candidates; j++, at++) {
        const score = block.scores[at] ?? NaN;
        // Also what overflowed to no number is near.
        if (score < under) continue;
        const candidate = block.firstCandidate + j;
        if (score > over) above += 1;
        else if (
          candidates.groupOf[candidate] !== group &&
          exactScore(queries.embeddings, row, candidates.embeddings, candidate) >= top
        )
          above += 1;
      }
      counts[block.firstQuery + i] = (counts[block.firstQuery + i] ?? 0) + above;
    }
  });
  return counts;
}
