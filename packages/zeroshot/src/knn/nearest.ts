/** The k candidates nearest to each query, exact to float64, without the matrix of scores. */
import type { Embeddings } from "../ranking.js";
import {
  exactScore,
  narrowsProducts,
  relativeSlack,
  rowLengths,
  scoreError,
} from "../scores/rounding.js";
import { blockSizes, eachScoreBlock, type ScoreBlockOptions } from "../scores/score-blocks.js";

export interface Neighbours {
  /** Best first; of equal scores the candidate that comes first. */
  readonly candidates: readonly number[];
  readonly scores: readonly number[];
}

export interface NearestOptions extends Omit<ScoreBlockOptions, "queries" | "candidates"> {
  readonly k: number;
}

/**
 * By dot products in float64. Float32 scores choose who may be among the k: all that lie no further below the k-th than
 * two errors of rounding. Scores that are no numbers are nobody's neighbours, so that a query may have fewer than k.
 *
 * Memory: what is given, two blocks, and a list of some k entries a query.
 */
export async function findNearest(
  queries: Embeddings,
  candidates: Embeddings,
  { k, ...options }: NearestOptions,
): Promise<readonly Neighbours[]> {
  const [count = 0, width = 0] = queries.shape;
  const asked = { ...options, queries, candidates };
  const narrows = await narrowsProducts(options.compute, { ...blockSizes(asked), width });
  const lengths = rowLengths(queries);
  const longest = rowLengths(candidates).reduce((a, b) => (b > a ? b : a), 0);
  const slack = relativeSlack(width, narrows);
  const lists = Array.from({ length: count }, (_, query) => {
    const error = scoreError((lengths[query] ?? 0) * longest, { width, slack });
    return createShortList(k, 2 * error);
  });
  await eachScoreBlock(asked, (block) => {
    for (let i = 0; i < block.queries; i++) {
      const list = lists[block.firstQuery + i];
      const at = i * block.stride;
      list?.add(block.scores.subarray(at, at + block.candidates), block.firstCandidate);
    }
  });
  return lists.map((list, query) => {
    const exact = list
      .all()
      .map((candidate) => ({
        candidate,
        score: exactScore(queries, query, candidates, candidate),
      }))
      .filter(({ score }) => !Number.isNaN(score))
      .sort((a, b) => b.score - a.score || a.candidate - b.candidate)
      .slice(0, k);
    return {
      candidates: exact.map(({ candidate }) => candidate),
      scores: exact.map(({ score }) => score),
    };
  });
}

interface ShortList {
  add(scores: Float32Array, first: number): void;
  /** Everybody who may be among the k. */
  all(): readonly number[];
}

/** Keeps what is no further than `margin` below the k-th best so far. */
function createShortList(k: number, margin: number): ShortList {
  let kept: { candidate: number; score: number }[] = [];
  let least = -Infinity;
  let limit = 4 * k + 64;
  const prune = (): void => {
    if (margin === Infinity) return;
    kept.sort((a, b) => b.score - a.score);
    const kth = kept[k - 1]?.score;
    if (kth === undefined) return;
    least = kth - margin;
    kept = kept.filter(({ score }) => score >= least);
  };
  return {
    add: (scores, first) => {
      for (let i = 0; i < scores.length; i++) {
        const score = scores[i] ?? NaN;
        if (!(score >= least)) continue; // Nor is what is no number a neighbour.
        kept.push({ candidate: first + i, score });
        // Sorting each time would cost more than a longer list; where many tie, the list does not get shorter.
        if (kept.length < limit) continue;
        prune();
        limit = 2 * kept.length + 64;
      }
    },
    all: () => {
      prune();
      return kept.map(({ candidate }) => candidate);
    },
  };
}
