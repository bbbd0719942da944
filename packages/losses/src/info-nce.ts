/** Symmetric InfoNCE, CLIP's loss, with any number of positives. */
import { add, mul, type Loss } from "@diptych/core";
import { buildPositivesApart, buildPositivesCrossEntropy } from "./cross-entropy.js";
import { buildAccuracy, buildPositiveSimilarity } from "./metrics.js";
import { buildPairs, IMAGE_AND_TEXT, sampleInput, type Between } from "./similarity.js";

export interface InfoNceOptions {
  /** Which two modalities; image and text by default. */
  readonly between?: Between;
  /**
   * What several positives of one row do. `together`: they share its target, in one softmax. `apart`: each competes with
   * the negatives alone.
   */
  readonly positives?: "together" | "apart";
}

/**
 * (CE(rows) + CE(columns))/2 over logits exp(s)·I·Tᵀ (arXiv:2103.00020 §2.3, figure 3; arXiv:1807.03748).
 *
 * Rows whose sample numbers are equal are all positives of each other, so that a second picture or caption of a concept
 * is no false negative. `together`: the target is uniform over them; the least loss is the logarithm of their number, and
 * positives push one another away once a row is learned. `apart`: the mean over positives p of
 * −log( exp(l_p) / (exp(l_p) + Σ_negatives exp(l)) ), whose least is 0. With one positive each, both are open_clip's
 * ClipLoss.
 *
 * Sees all features of the batch. Metrics: `accuracy` (row → column) and `positiveSimilarity` (cosine).
 */
export function createInfoNce({
  between = IMAGE_AND_TEXT,
  positives = "together",
}: InfoNceOptions = {}): Loss {
  const buildOneWay = positives === "apart" ? buildPositivesApart : buildPositivesCrossEntropy;
  return Object.freeze({
    name: "info-nce",
    needs: ["features"] as const,
    auxiliary: between.map(sampleInput),
    scope: "batch" as const,
    build: (_context, inputs) => {
      const pairs = buildPairs("losses/info-nce", inputs, between);
      const perRow = buildOneWay(pairs.logits, pairs.positives, 1);
      const perColumn = buildOneWay(pairs.logits, pairs.positives, 0);
      return {
        loss: mul(add(perRow, perColumn), 0.5),
        metrics: {
          accuracy: buildAccuracy(pairs),
          positiveSimilarity: buildPositiveSimilarity(pairs, inputs.logitScale),
        },
      };
    },
  } satisfies Loss);
}
