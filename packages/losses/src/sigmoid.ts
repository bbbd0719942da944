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
  sum,
  type BuildContext,
  type Loss,
  type Value,
} from "@diptych/core";
import { buildChunkedSum, rowChunks } from "./chunks.js";
import { buildMetricSums, metricsOf, type MetricSums } from "./metrics.js";
import {
  IMAGE_AND_TEXT,
  pairInputs,
  pairOperands,
  pairsOf,
  type Between,
  type Duplicates,
  type PairOperands,
} from "./similarity.js";

export interface SigmoidLossOptions {
  /** Which two modalities; image and text by default. The first one's batch divides the sum. */
  readonly between?: Between;
  /** What pairs of different samples of one concept are; `positives` by default. */
  readonly duplicates?: Duplicates;
  /** Most rows whose pairs are alive at once; by default all. Needs the batch's size when the loss is built. */
  readonly chunkSize?: number | undefined;
}

const WHERE = "losses/sigmoid";

/**
 * −(1/|rows|) Σ log σ(z·(exp(s)·I·Tᵀ + b)), z = 1 for positives and −1 otherwise (arXiv:2303.15343 §3.2; open_clip's
 * SigLipLoss). Pairs that belong together are positives, several a row or one; masked ones are left out of the sum.
 *
 * In chunks of `chunkSize` rows (§3.3, within one device) the matrix of pairs is never whole, neither for the value nor
 * for the gradient: [chunkSize, columns] beside the gradients of the features, which are computed with the value. Value
 * and gradient are the same but for the order of additions; nothing is computed twice.
 *
 * The model needs a bias (`logitBias`, −10 in the paper): without it the many negatives dominate the first steps.
 * Metrics: `accuracy` (row → column) and `positiveSimilarity` (cosine).
 *
 * @throws ConfigError for a chunk of less than one row, and when built, without a bias, or in chunks of unknown rows.
 */
export function createSigmoidLoss(options: SigmoidLossOptions = {}): Loss {
  const { between = IMAGE_AND_TEXT, duplicates = "positives", chunkSize } = options;
  if (chunkSize !== undefined && !(Number.isInteger(chunkSize) && chunkSize >= 1)) {
    throw new ConfigError(
      `${WHERE}: chunkSize: expected an integer of at least 1, got ${chunkSize}. Leave it out to take all rows at once.`,
    );
  }
  return Object.freeze({
    name: "sigmoid",
    needs: Object.freeze(["features"] as const),
    auxiliary: pairInputs(between, duplicates),
    scope: "batch",
    build: (context, inputs) => {
      const { logitBias: bias } = inputs;
      if (!bias) {
        throw new ConfigError(
          `${WHERE}: logitBias: expected a model with a bias, got none. Set model.logitBias: -10.`,
        );
      }
      const operands = { ...pairOperands(WHERE, inputs, { between, duplicates }), bias };
      const { total, metrics } =
        chunkSize === undefined
          ? sumPairs(operands)
          : sumInChunks(operands, { context, chunkSize });
      const [rows = 1] = shapeOf(operands.rows);
      return {
        loss: div(total, max(cast(dimSize(rows), "float32"), 1)),
        metrics: metricsOf(metrics, operands),
      };
    },
  } satisfies Loss);
}

interface PairSums {
  readonly total: Value;
  readonly metrics: MetricSums;
}

/** Σ −log σ(z·logit) over all pairs of the operands. */
function sumPairs(operands: PairOperands): PairSums {
  const pairs = pairsOf(operands);
  const { logits, positives, compared } = pairs;
  // −log σ(x) = softplus(−x), finite and with a finite gradient however large the logits.
  const each = softplus(select(positives, neg(logits), logits));
  return {
    total: sum(compared ? select(compared, each, 0) : each),
    metrics: buildMetricSums(pairs, operands.bias),
  };
}

interface ChunkOptions {
  readonly context: BuildContext;
  readonly chunkSize: number;
}

/** The same over chunks of rows. */
function sumInChunks(
  operands: PairOperands & { readonly bias: Value },
  { context: { sizes }, chunkSize }: ChunkOptions,
): PairSums {
  const { rows, columns, samples, items, logitScale, bias } = operands;
  const numbers = [samples, items].filter((pair) => pair !== undefined);
  const { value, sums } = buildChunkedSum({
    chunks: rowChunks(shapeOf(rows)[0] ?? 1, { where: WHERE, chunkSize, sizes }),
    rows: [rows, ...numbers.map(([ofRows]) => ofRows)],
    whole: [columns, logitScale, bias],
    build: ([someRows, ...someNumbers], [allColumns, scale, shift]) => {
      const numbersOf = (pair: PairOperands["samples"]): PairOperands["samples"] =>
        pair && [someNumbers[numbers.indexOf(pair)]!, pair[1]];
      const [someSamples, someItems] = [numbersOf(samples), numbersOf(items)];
      const { total, metrics } = sumPairs({
        rows: someRows!,
        columns: allColumns!,
        logitScale: scale!,
        bias: shift!,
        ...(someSamples ? { samples: someSamples } : {}),
        ...(someItems ? { items: someItems } : {}),
      });
      const { hits, positiveLogits, positives } = metrics;
      return { value: total, sums: [hits, positiveLogits, positives] };
    },
  });
  const [hits, positiveLogits, positives] = sums as [Value, Value, Value];
  return { total: value, metrics: { hits, positiveLogits, positives } };
}
