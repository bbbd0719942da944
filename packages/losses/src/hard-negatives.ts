/** Contrastive losses that weigh negatives by how hard they are, with or without correction for false ones. */
import {
  add,
  ConfigError,
  countTrue,
  exp,
  greater,
  log,
  logSumExp,
  max,
  mul,
  neg,
  scalar,
  select,
  softplus,
  stopGradient,
  sub,
  type Loss,
  type Value,
} from "@diptych/core";
import { buildMeanOfPositives, negativesOf } from "./cross-entropy.js";
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

export interface HardNegativesOptions {
  /** Which two modalities; image and text by default. */
  readonly between?: Between;
  /** What pairs of different samples of one concept are; `positives` by default. */
  readonly duplicates?: Duplicates;
  /** How much harder negatives count for more, at least 0 (all alike); 0.25 by default. */
  readonly beta?: number;
  /** Chance that a negative is none, in [0, 1); 0 by default. */
  readonly tauPlus?: number;
  /** Weight of the positive among what it is compared with, in (0, 1]; 1 by default. */
  readonly alpha?: number;
}

type Weights = Required<Pick<HardNegativesOptions, "beta" | "tauPlus" | "alpha">>;

const WHERE = "losses/hard-negatives";

/** Below any logit by so much that its exponential is 0, and finite, so that nothing of it alone has no NaN. */
const EXCLUDED = -1e30;

/** Least weight of the positive: the value could fall to its logarithm. */
const LEAST_ALPHA = 1e-6;

/** A positive number far below what is compared with it. */
const TINY = 1e-30;

/**
 * (rows + columns)/2, each the mean over rows of the mean over a row's positives p of −log( e^p / (α·e^p + N_p) ), p the
 * logit exp(s)·cos. With the row's n negatives l:
 *
 * R = n · Σ e^{(1+β)·l} / Σ e^{β·l}, negatives weighed by e^{β·l}, the weights' mean being 1;
 * N_p = max( (R − τ⁺·n·e^p)/(1 − τ⁺), n·e^{−exp(s)} ), what is left when a share τ⁺ of them are positives in truth.
 *
 * τ⁺ = 0: HN-NCE (Radenovic et al. 2023, arXiv:2301.02280 §3.3), with one β for both ways, whose mean is taken here where
 * the paper adds them; there N_p = R. α = 1: Robinson et al. 2021 (arXiv:2010.04592 §3; their temperature is exp(−s)),
 * each way. τ⁺ = 0, α = 1 and β = 0: InfoNCE with `positives: "apart"`. Weights are differentiated as the rest.
 *
 * Rows without positives are left out; a row without negatives gives log α. Sees all features of the batch. Metrics:
 * `accuracy` (row → column) and `positiveSimilarity` (cosine).
 *
 * @throws ConfigError for a β below 0, a τ⁺ outside [0, 1) or an α outside (0, 1].
 */
export function createHardNegatives(options: HardNegativesOptions = {}): Loss {
  const { between = IMAGE_AND_TEXT, duplicates = "positives" } = options;
  const { beta = 0.25, tauPlus = 0, alpha = 1 } = options;
  checkWeights({ beta, tauPlus, alpha });
  return Object.freeze({
    name: "hard-negatives",
    needs: Object.freeze(["features"] as const),
    auxiliary: pairInputs(between, duplicates),
    scope: "batch",
    build: (_context, inputs) => {
      const operands = pairOperands(WHERE, inputs, { between, duplicates });
      const pairs = pairsOf(operands);
      const way = (axis: 0 | 1): Value =>
        buildOneWay(pairs, { axis, beta, tauPlus, alpha, logitScale: inputs.logitScale });
      return {
        loss: mul(add(way(1), way(0)), 0.5),
        metrics: metricsOf(buildMetricSums(pairs), operands),
      };
    },
  } satisfies Loss);
}

function checkWeights({ beta, tauPlus, alpha }: Weights): void {
  const check = (name: string, value: number, [valid, what]: [boolean, string]): void => {
    if (valid) return;
    throw new ConfigError(`${WHERE}: ${name}: expected ${what}, got ${value}.`);
  };
  check("beta", beta, [beta >= 0 && Number.isFinite(beta), "a finite number of at least 0"]);
  check("tauPlus", tauPlus, [tauPlus >= 0 && tauPlus < 1, "a number of at least 0 and below 1"]);
  check("alpha", alpha, [
    alpha >= LEAST_ALPHA && alpha <= 1,
    `a number from ${LEAST_ALPHA} up to 1`,
  ]);
}

interface OneWayOptions extends Weights {
  readonly axis: 0 | 1;
  readonly logitScale: Value;
}

function buildOneWay(pairs: Pairs, options: OneWayOptions): Value {
  const { logits, positives } = pairs;
  const { axis, beta, tauPlus, alpha, logitScale } = options;
  const negatives = negativesOf(pairs);
  const count = countTrue(negatives, { axes: [axis], keepDims: true });
  const some = greater(count, 0);
  const logCount = select(some, log(max(count, 1)), EXCLUDED);
  const total = (factor: number): Value =>
    logSumExp(select(negatives, mul(logits, factor), EXCLUDED), { axis, keepDims: true });
  // log R; for β = 0 the weights' sum is n.
  const reweighted =
    beta === 0
      ? total(1)
      : select(some, add(logCount, sub(total(1 + beta), total(beta))), EXCLUDED);
  // log(R/e^p) for each pair that may be a positive.
  const ratio = sub(reweighted, logits);
  if (tauPlus === 0) return buildMeanOfPositives(logPlus(ratio, alpha), positives, axis);
  // log(α + (ρ − τ⁺n)/(1 − τ⁺)) = log(ρ + c) − log(1 − τ⁺), ρ = R/e^p.
  const constant = sub(alpha * (1 - tauPlus), mul(count, tauPlus));
  const corrected = sub(logOfSum(ratio, constant), log(scalar(1 - tauPlus)));
  const floor = logPlus(sub(sub(logCount, exp(logitScale)), logits), alpha);
  // Both grow with N_p, so the larger of them is that of the larger N_p.
  return buildMeanOfPositives(max(corrected, floor), positives, axis);
}

/** log(e^x + α) = log α + softplus(x − log α). */
function logPlus(x: Value, alpha: number): Value {
  if (alpha === 1) return softplus(x);
  const least = log(scalar(alpha));
  return add(softplus(sub(x, least)), least);
}

/** log(e^x + c) without overflow, for c of either sign; far below anything where e^x + c is not positive. */
function logOfSum(x: Value, c: Value): Value {
  // The sum does not depend on it: no derivative.
  const top = stopGradient(max(x, 0));
  return add(top, log(max(add(exp(sub(x, top)), mul(c, exp(neg(top)))), TINY)));
}
