/** Symmetric InfoNCE, CLIP's loss, with any number of positives. */
import {
  add,
  broadcast,
  concat,
  ConfigError,
  countTrue,
  greater,
  mul,
  not,
  scalar,
  shapeOf,
  type Loss,
  type Value,
} from "@diptych/core";
import {
  buildPositivesApart,
  buildPositivesCrossEntropy,
  type CrossEntropyOptions,
} from "./cross-entropy.js";
import { buildMetricSums, metricsOf } from "./metrics.js";
import {
  IMAGE_AND_TEXT,
  pairInputs,
  pairOperands,
  pairsOf,
  type Between,
  type Duplicates,
  type Pairs,
} from "./similarity.js";

export interface InfoNceOptions {
  /** Which two modalities; image and text by default. */
  readonly between?: Between;
  /**
   * What several positives of one row do. `together`: they share its target, in one softmax. `apart`: each competes with
   * the negatives alone.
   */
  readonly positives?: "together" | "apart";
  /** What pairs of different samples of one concept are; `positives` by default. */
  readonly duplicates?: Duplicates;
  /** Share of each target that is spread evenly over the softmax, in [0, 1); 0 by default. */
  readonly labelSmoothing?: number;
  /** Whether each softmax has one more outcome, "none of these", which the model's bias is weighed against. */
  readonly noneOfThese?: boolean;
}

const WHERE = "losses/info-nce";

/**
 * (CE(rows) + CE(columns))/2 over logits exp(s)·I·Tᵀ (arXiv:2103.00020 §2.3, figure 3; arXiv:1807.03748).
 *
 * Several positives. `together`: the target is uniform over them (as UniCL, arXiv:2204.03610 §3); the least loss is the
 * logarithm of their number, and positives push one another away once a row is learned. `apart`: the mean over positives
 * p of −log( exp(l_p) / (exp(l_p) + Σ_negatives exp(l)) ), whose least is 0. With one positive each, both are open_clip's
 * ClipLoss. Label smoothing: see {@link buildPositivesCrossEntropy} and {@link buildPositivesApart}. Rows without
 * positives are left out of the means.
 *
 * Duplicates: by default all pairs of one concept are positives, so that a second picture or caption is no false negative.
 *
 * Bias. A number added to all logits changes no softmax over them: open_clip's ClipLoss adds the model's all the same,
 * which leaves value and gradient as they are and gives the bias a gradient of rounding errors (which Adam makes into
 * whole steps). So the bias is left out here, and its gradient is 0, unless there is something to weigh it against: with
 * `noneOfThese` each softmax has one more outcome of logit 0, and p(j|i) = exp(l_ij + b)/(1 + Σ_k exp(l_ik + b)); it is
 * the target of rows without positives (further captions without pictures), which then count as well. The idea is
 * SuperGlue's dustbin (arXiv:1911.11763 §3.2), its score −b.
 *
 * Sees all features of the batch. Metrics: `accuracy` (row → column, among pairs) and `positiveSimilarity` (cosine).
 *
 * @throws ConfigError for label smoothing outside [0, 1), and when built, without a bias that `noneOfThese` needs.
 */
export function createInfoNce(options: InfoNceOptions = {}): Loss {
  const { between = IMAGE_AND_TEXT, duplicates = "positives", positives = "together" } = options;
  const { labelSmoothing = 0, noneOfThese = false } = options;
  if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
    throw new ConfigError(
      `${WHERE}: labelSmoothing: expected a number of at least 0 and below 1, got ${labelSmoothing}. 0.1 is usual, 0 is none.`,
    );
  }
  const buildOneWay = positives === "apart" ? buildPositivesApart : buildPositivesCrossEntropy;
  return Object.freeze({
    name: "info-nce",
    needs: Object.freeze(["features"] as const),
    auxiliary: pairInputs(between, duplicates),
    scope: "batch",
    build: (_context, inputs) => {
      const { logitBias: bias } = inputs;
      if (noneOfThese && !bias) {
        throw new ConfigError(
          `${WHERE}: noneOfThese: expected a model with a bias, got none. Set model.logitBias, e.g. -10.`,
        );
      }
      const operands = pairOperands(WHERE, inputs, {
        between,
        duplicates,
        ...(noneOfThese && bias ? { bias } : {}),
      });
      const pairs = pairsOf(operands);
      const way = (axis: 0 | 1): Value => {
        const settings: CrossEntropyOptions = { axis, labelSmoothing };
        return buildOneWay(noneOfThese ? withNoneOfThese(pairs, axis) : pairs, settings);
      };
      return {
        loss: mul(add(way(1), way(0)), 0.5),
        metrics: metricsOf(buildMetricSums(pairs, operands.bias), operands),
      };
    },
  } satisfies Loss);
}

/** The pairs with one more outcome along `axis`: logit 0, positive where nothing else is. */
function withNoneOfThese({ logits, positives, compared }: Pairs, axis: 0 | 1): Pairs {
  const shape = shapeOf(logits).map((dim, i) => (i === axis ? 1 : dim));
  const counts = countTrue(positives, { axes: [axis], keepDims: true });
  return {
    logits: concat([logits, broadcast(scalar(0), shape)], axis),
    positives: concat([positives, not(greater(counts, 0))], axis),
    ...(compared
      ? { compared: concat([compared, broadcast(scalar(1, "bool"), shape)], axis) }
      : {}),
  };
}
