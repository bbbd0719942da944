/** Supervised contrastive loss between the samples of one modality. */
import {
  and,
  cast,
  checkShapes,
  ConfigError,
  div,
  equal,
  iota,
  matmul,
  max,
  mul,
  not,
  reshape,
  sampleInput,
  sampleInputName,
  select,
  sum,
  type Loss,
} from "@diptych/core";
import { buildPositivesCrossEntropy } from "./cross-entropy.js";
import { auxiliaryOf, featuresOf } from "./similarity.js";

export interface SupervisedContrastiveOptions {
  /** `image` by default. */
  readonly modality?: string;
  /** τ; 0.1 by default, as the paper. */
  readonly temperature?: number;
}

/** Score of a sample with itself: its exponential is 0 beside any cosine/τ with τ ≥ {@link LEAST_TEMPERATURE}. */
const EXCLUDED = -1e6;
const LEAST_TEMPERATURE = 1e-4;

/**
 * L_out of Khosla et al. 2020 (arXiv:2004.11362, eq. 2): −mean over anchors i of the mean over positives p of
 * log( exp(zᵢ·z_p/τ) / Σ_{a≠i} exp(zᵢ·z_a/τ) ), positives being the other samples with i's number.
 *
 * Anchors without positives contribute nothing (the paper sums over anchors; here the mean is over those that have
 * positives, so that the loss does not shrink with samples that stand alone). 0 where no two numbers are equal.
 * Metric: `positiveSimilarity` (cosine).
 *
 * @throws ConfigError for a temperature below 1e-4.
 */
export function createSupervisedContrastive({
  modality = "image",
  temperature = 0.1,
}: SupervisedContrastiveOptions = {}): Loss {
  if (!(temperature >= LEAST_TEMPERATURE)) {
    throw new ConfigError(
      `losses/supervised-contrastive: temperature: expected a number of at least ${LEAST_TEMPERATURE}, got ${temperature}. The paper uses 0.1.`,
    );
  }
  return Object.freeze({
    name: "supervised-contrastive",
    needs: ["features"] as const,
    auxiliary: [sampleInput(modality)],
    scope: "batch" as const,
    build: (_context, inputs) => {
      const where = "losses/supervised-contrastive";
      const features = featuresOf(where, inputs, modality);
      const sample = auxiliaryOf(where, inputs, sampleInputName(modality));
      const { batch } = checkShapes(
        where,
        [features, modality, ["batch", "embedDim"]],
        [sample, sampleInputName(modality), ["batch"]],
      );
      const index = iota(batch);
      const same = (numbers: typeof index): typeof index =>
        equal(reshape(numbers, [batch, 1]), reshape(numbers, [1, batch]));
      const self = same(index);
      const positives = and(same(sample), not(self));
      const cosines = matmul(features, features, { transposeB: true });
      const scores = select(self, EXCLUDED, mul(cosines, 1 / temperature));
      const weights = cast(positives, "float32");
      return {
        loss: buildPositivesCrossEntropy({ logits: scores, positives }, { axis: 1 }),
        metrics: {
          positiveSimilarity: div(sum(mul(weights, cosines)), max(sum(weights), 1)),
        },
      };
    },
  } satisfies Loss);
}
