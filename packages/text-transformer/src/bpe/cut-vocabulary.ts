/**
 * A tokenizer cut to the symbols that a corpus uses: a small model then has no embedding rows that never learn.
 * The corpus encodes to the same pieces as before, any other text falls back to smaller kept pieces, at last to bytes.
 */
import { createBpeTokenizer, type BpeTokenizer } from "./bpe-tokenizer.js";

/**
 * `tokenizer` with the ids that `corpus` uses at least `minCount` times (1 by default), renumbered from 0 in their old
 * order, single bytes and special ids always kept (514 ids), end-of-text still the largest. Context and truncation stay.
 * Take the rows `originalIds` of an embedding table to cut a trained model with it.
 */
export function cutVocabulary(
  tokenizer: BpeTokenizer,
  corpus: Iterable<string>,
  { minCount = 1 }: { readonly minCount?: number } = {},
): BpeTokenizer {
  // Every text counts whole, however short the context that the model will have.
  const unbounded = createBpeTokenizer({
    ...tokenizer.options,
    contextLength: Number.MAX_SAFE_INTEGER,
    truncate: "error",
  });
  const counts = new Map<number, number>();
  for (const text of corpus) {
    for (const id of unbounded.encode(text)) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  const keep: number[] = [];
  for (const [id, count] of counts)
    if (count >= minCount) keep.push(tokenizer.originalIds[id] ?? id);
  return createBpeTokenizer({ ...tokenizer.options, keep: keep.sort((a, b) => a - b) });
}
