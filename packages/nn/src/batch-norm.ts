/** Batch norm with PyTorch's parameters and buffers (weight, bias, running_mean, running_var, num_batches_tracked). */
import {
  add,
  batchNorm,
  cast,
  checkShapes,
  dimSize,
  div,
  max,
  mul,
  mulDims,
  ones,
  reshape,
  shapeOf,
  ShapeError,
  sqrt,
  staticShape,
  sub,
  zeros,
  type BuildContext,
  type Dim,
  type Initializer,
  type Value,
} from "@diptych/core";

/**
 * - `batch`: normalises by the batch's own statistics and moves the running ones; weight and bias learn.
 * - `frozenStatistics`: normalises by the running statistics, which stand still; weight and bias learn.
 * - `frozen`: as the former, and weight and bias stand still too: they are buffers under the same names, so that no
 *   gradient, decay or update reaches them (torchvision's FrozenBatchNorm2d, open_clip's --lock-image-freeze-bn-stats).
 *
 * Frozen either way, a sample's features do not depend on the others of its batch, in training as in evaluation.
 */
export const BATCH_NORM_MODES = ["batch", "frozenStatistics", "frozen"] as const;
export type BatchNormMode = (typeof BATCH_NORM_MODES)[number];

export interface BatchNormOptions {
  /** PyTorch's default 1e-5. */
  readonly epsilon?: number;
  /** Share of the new statistics in the running ones (PyTorch's convention; TensorFlow's momentum is 1 − this). */
  readonly momentum?: number;
  /** What training does with it; `batch` by default. */
  readonly mode?: BatchNormMode;
  /**
   * Initial `weight`; ones by default, zeros for the last norm of a residual branch. A `frozen` norm starts at ones: a
   * branch that zeros shut could never open.
   */
  readonly scaleInit?: Initializer;
}

/**
 * Normalises each channel over batch and space (arXiv:1502.03167).
 *
 * In training with the batch's own biased variance; the running variance takes the unbiased one, as PyTorch's does
 * (ONNX's training mode would take the biased). In evaluation, or frozen (see {@link BATCH_NORM_MODES}): x·a + b from the running statistics.
 * `num_batches_tracked` is int64 in PyTorch's state dict; here it is a float32 buffer of shape [] (exact up to 2²⁴
 * steps), which checkpoints write as int64.
 *
 * @param x [batch, channels, height, width], sizes but the batch as numbers.
 * @returns The shape of x.
 * @throws ShapeError where the channels are symbolic, or where in training a channel has one value only.
 */
export function buildBatchNorm(
  context: BuildContext,
  x: Value,
  { epsilon = 1e-5, momentum = 0.1, mode = "batch", scaleInit = ones }: BatchNormOptions = {},
): Value {
  const { scope } = context;
  const { batch, height, width } = checkShapes("nn/buildBatchNorm", [
    x,
    "x",
    ["batch", "channels", "height", "width"],
  ]);
  const [channels = 1] = staticShape(shapeOf(x).slice(1, 2), "nn/buildBatchNorm");
  const affine = (name: string, initializer: Initializer): Value =>
    mode === "frozen"
      ? scope.buffer(name, [channels], initializer)
      : scope.parameter(name, [channels], { initializer });
  const scale = affine("weight", mode === "frozen" ? ones : scaleInit);
  const bias = affine("bias", zeros);
  const runningMean = scope.buffer("running_mean", [channels], zeros);
  const runningVariance = scope.buffer("running_var", [channels], ones);
  const batchesTracked = scope.buffer("num_batches_tracked", [], zeros);
  if (context.mode === "eval" || mode !== "batch") {
    const a = div(scale, sqrt(add(runningVariance, epsilon)));
    const b = sub(bias, mul(runningMean, a));
    return add(mul(x, perChannel(a, channels)), perChannel(b, channels));
  }
  const { output, mean, variance } = batchNorm(x, scale, bias, { epsilon });
  const move = (running: Value, value: Value): Value =>
    add(mul(running, 1 - momentum), mul(value, momentum));
  const unbiased = mul(variance, unbiasedFactor(mulDims(batch, height, width)));
  scope.updateBuffer("running_mean", move(runningMean, mean));
  scope.updateBuffer("running_var", move(runningVariance, unbiased));
  scope.updateBuffer("num_batches_tracked", add(batchesTracked, 1));
  return output;
}

/** [channels] beside [batch, channels, height, width]. */
function perChannel(value: Value, channels: number): Value {
  return reshape(value, [channels, 1, 1]);
}

/** n/(n−1), float32 scalar. */
function unbiasedFactor(count: Dim): Value {
  if (count === 1) {
    throw new ShapeError(
      "nn/buildBatchNorm: x: expected more than one value per channel in training, got one. Use a larger batch or picture, or freeze the norm.",
    );
  }
  const n = cast(dimSize(count), "float32");
  // Symbolic counts are only known at run time: one value gives factor 1 instead of a division by zero.
  return div(n, max(sub(n, 1), 1));
}
