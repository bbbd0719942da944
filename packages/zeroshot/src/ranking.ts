/** Ranking candidates for queries by cosine similarity of unit vectors; ties count against the query (clip-numerics §14, trap 13). */
import { ShapeError, type HostTensor } from "@diptych/core";

/** Rows of unit vectors: [rows, width]. */
export type Embeddings = HostTensor<"float32">;

function sizes(what: string, embeddings: Embeddings): readonly [number, number] {
  const [rows, width] = embeddings.shape;
  if (embeddings.shape.length !== 2 || rows === undefined || width === undefined) {
    throw new ShapeError(
      `zeroshot/ranking: ${what}: expected [rows, width], got [${embeddings.shape.join(", ")}].`,
    );
  }
  return [rows, width];
}

/**
 * Similarities of one query to all candidates: dot products in float64.
 *
 * @throws ShapeError when widths differ.
 */
export function similarities(
  queries: Embeddings,
  query: number,
  candidates: Embeddings,
): Float64Array {
  const [, width] = sizes("queries", queries);
  const [rows, other] = sizes("candidates", candidates);
  if (width !== other) {
    throw new ShapeError(
      `zeroshot/ranking: width: expected one of both sides, got ${width} and ${other}.`,
    );
  }
  const scores = new Float64Array(rows);
  const one = Float64Array.from(queries.data.subarray(query * width, (query + 1) * width));
  const all = candidates.data;
  let row = 0;
  // Four candidates at once keep the processor's adders busy; each sum is added up in the same order as alone.
  for (; row + 3 < rows; row += 4) {
    const [a, b, c, d] = [row * width, (row + 1) * width, (row + 2) * width, (row + 3) * width];
    let [first, second, third, fourth] = [0, 0, 0, 0];
    for (let i = 0; i < width; i++) {
      const value = one[i] as number;
      first += value * (all[a + i] as number);
      second += value * (all[b + i] as number);
      third += value * (all[c + i] as number);
      fourth += value * (all[d + i] as number);
    }
    scores.set([first, second, third, fourth], row);
  }
  for (; row < rows; row++) {
    let dot = 0;
    for (let i = 0; i < width; i++) dot += (one[i] as number) * (all[row * width + i] as number);
    scores[row] = dot;
  }
  return scores;
}

/**
 * Rank (from 0) of the best of `relevant` among all candidates: how many others score at least as high. A tie counts
 * against the query, so that constant embeddings score 0 and not 1.
 */
export function rankOfBest(scores: Float64Array, relevant: ReadonlySet<number>): number {
  let best = -Infinity;
  for (const candidate of relevant) best = Math.max(best, scores[candidate] ?? -Infinity);
  let rank = 0;
  for (let i = 0; i < scores.length; i++) if (!relevant.has(i) && (scores[i] ?? 0) >= best) rank++;
  return Number.isNaN(best) || best === -Infinity ? scores.length : rank;
}

/** The `count` best candidates, best first; earlier positions win ties, NaN comes last. */
export function topCandidates(scores: Float64Array, count: number): readonly number[] {
  const value = (i: number): number => {
    const score = scores[i] ?? NaN;
    return Number.isNaN(score) ? -Infinity : score;
  };
  return Array.from(scores.keys())
    .sort((a, b) => (value(a) === value(b) ? a - b : value(b) - value(a)))
    .slice(0, count);
}
