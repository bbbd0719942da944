/** SigLIP's sigmoid loss: every pair is a yes-or-no question of its own. */
import {
  cast,
  ConfigError,
  dimSize,
  div,
  max,
  neg,
  select,
  shapeOf,
  softplus,
  sub,
  sum,
  type Loss,
} from "@diptych/core";
import { buildAccuracy, buildPositiveSimilarity } from "./metrics.js";
import { buildPairs, IMAGE_AND_TEXT, sampleInput, type Between } from "./similarity.js";

export interface SigmoidLossOptions {
  /** Which two modalities; image and text by default. The first one's batch divides the sum. */
  readonly between?: Between;
}

/**
 * −(1/|rows|) Σ log σ(z·(exp(s)·I·Tᵀ + b)), z = 1 for positives and −1 otherwise (arXiv:2303.15343 §3.2; open_clip's
 * SigLipLoss). Pairs whose sample numbers are equal are positives, several a row or one.
 *
 * The model needs a bias (`logitBias`, −10 in the paper): without it the many negatives dominate the first steps.
 * Metrics: `accuracy` (row → column) and `positiveSimilarity` (cosine).
 */
export function createSigmoidLoss({ between = IMAGE_AND_TEXT }: SigmoidLossOptions = {}): Loss {
  return Object.freeze({
    name: "sigmoid",
    needs: ["features"] as const,
    auxiliary: between.map(sampleInput),
    scope: "batch" as const,
    build: (_context, inputs) => {
      const { logitBias } = inputs;
      if (!logitBias) {
        throw new ConfigError(
          "losses/sigmoid: logitBias: expected a model with a bias, got none. Set model.logitBias: -10.",
        );
      }
      const pairs = buildPairs("losses/sigmoid", inputs, between, logitBias);
      const { logits, positives } = pairs;
      const [rows = 1] = shapeOf(logits);
      // −log σ(x) = softplus(−x), finite and with a finite gradient however large the logits.
      const total = sum(softplus(select(positives, neg(logits), logits)));
      const unbiased = { positives, logits: sub(logits, logitBias) };
      return {
        loss: div(total, max(cast(dimSize(rows), "float32"), 1)),
        metrics: {
          accuracy: buildAccuracy(pairs),
          positiveSimilarity: buildPositiveSimilarity(unbiased, inputs.logitScale),
        },
      };
    },
  } satisfies Loss);
}
