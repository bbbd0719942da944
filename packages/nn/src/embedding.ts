/** Embedding table with PyTorch's parameter: `weight` [vocab, width]. */
import { normal, take, type BuildContext, type Initializer, type Value } from "@diptych/core";

export interface EmbeddingOptions {
  readonly vocab: number;
  readonly width: number;
  /** N(0, 1) by default, as PyTorch. */
  readonly init?: Initializer;
}

/** Rows of the table: ids int32 [...] in [0, vocab) → [..., width]. */
export function buildEmbedding(
  { scope }: BuildContext,
  ids: Value,
  { vocab, width, init = normal(1) }: EmbeddingOptions,
): Value {
  return take(scope.parameter("weight", [vocab, width], { initializer: init }), ids, 0);
}
