/** Each query's best positive, and the interval around its score in which a float32 score decides nothing. */
import { exactScore, roundDown, roundUp, scoreError } from "../scores/rounding.js";
import type { RankedSide } from "./pairs.js";

export interface Thresholds {
  /** Score of the best positive in float64; −∞ for a query without one. */
  readonly best: Float64Array;
  /** A float32 score below `low` belongs to a candidate below the best positive for sure, one above `high` to one above. */
  readonly low: Float32Array;
  readonly high: Float32Array;
  /** Positives whose float32 scores are at or above `low` for sure. */
  readonly certain: Uint32Array;
}

/** @param slack {@link relativeSlack} of products of this width. */
export function findThresholds(
  queries: RankedSide,
  candidates: RankedSide,
  slack: number,
): Thresholds {
  const rows = queries.groupOf.length;
  const width = queries.embeddings.shape[1] ?? 0;
  const { lengths } = queries;
  const longest = candidates.lengths.reduce((a, b) => Math.max(a, b), 0);
  const best = new Float64Array(rows).fill(-Infinity);
  const low = new Float32Array(rows).fill(Infinity);
  const high = new Float32Array(rows).fill(Infinity);
  const certain = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) {
    const positives = candidates.members[queries.groupOf[row] ?? 0] ?? [];
    if (positives.length === 0) continue;
    const scores = positives.map((other) =>
      exactScore(queries.embeddings, row, candidates.embeddings, other),
    );
    const top = scores.reduce((a, b) => Math.max(a, b));
    const distance = scoreError((lengths[row] ?? 0) * longest, { width, slack });
    best[row] = top;
    const least = roundDown(top - distance);
    low[row] = least;
    high[row] = roundUp(top + distance);
    certain[row] = scores.filter((score) => score - distance >= least).length;
  }
  return { best, low, high, certain };
}
