/** Queries to look at with what lies nearest to them: those furthest off, and some others. */
import type { ItemExample } from "@diptych/core";
import type { EmbeddedSamples } from "../embed-dataset.js";
import { SHOWN, spreadEvenly } from "../examples.js";
import { similarities, topCandidates } from "../ranking.js";
import type { RetrievalSide } from "./pairs.js";

export interface RetrievalExampleOptions {
  readonly direction: "imageToText" | "textToImage";
  readonly embedded: EmbeddedSamples;
  readonly images: RetrievalSide;
  readonly texts: RetrievalSide;
  /** Names of the queries. */
  readonly ids: readonly string[];
  readonly captions: readonly string[];
  readonly ranks: Float64Array;
  /** Misses to give; a third as many others. */
  readonly count: number;
}

/** The worst ranks first, of equal ones the first in the set; then queries spread evenly over those that were right. */
export function pickRetrievalExamples(options: RetrievalExampleOptions): readonly ItemExample[] {
  const { ranks, count } = options;
  const rows = [...ranks.keys()];
  const misses = rows
    .filter((row) => (ranks[row] ?? NaN) > 0)
    .sort((a, b) => (ranks[b] ?? 0) - (ranks[a] ?? 0) || a - b)
    .slice(0, count);
  const hits = rows.filter((row) => ranks[row] === 0);
  const others = spreadEvenly(hits.length, Math.ceil(count / 3)).map((i) => hits[i] ?? 0);
  return [
    ...misses.map((row) => exampleOf(row, "mistake", options)),
    ...others.map((row) => exampleOf(row, "neighbours", options)),
  ];
}

function exampleOf(
  row: number,
  kind: "mistake" | "neighbours",
  { direction, embedded, images, texts, ids, captions }: RetrievalExampleOptions,
): ItemExample {
  const fromImage = direction === "imageToText";
  const [queries, candidates] = fromImage ? [images, texts] : [texts, images];
  const scores = similarities(queries.embeddings, row, candidates.embeddings);
  const concept = queries.concepts[row];
  const expected = captions.filter((_, i) => texts.concepts[i] === concept).slice(0, SHOWN);
  return Object.freeze({
    kind,
    id: ids[row] ?? "",
    ...(fromImage
      ? { sample: embedded.imageSample[row] ?? 0, expected: expected.join(" · ") }
      : { text: captions[row] ?? "" }),
    answers: topCandidates(scores, SHOWN).map((candidate) => ({
      ...(fromImage
        ? { text: captions[candidate] ?? "" }
        : { sample: embedded.imageSample[candidate] ?? 0 }),
      score: scores[candidate] ?? NaN,
      right: candidates.concepts[candidate] === concept,
    })),
  });
}
