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

export interface BatchNormOptions {
  /** PyTorch's default 1e-5. */
  readonly epsilon?: number;
  /** Share of the new statistics in the running ones (PyTorch's convention; TensorFlow's momentum is 1 − this). */
  readonly momentum?: number;
  /** Uses the running statistics in training too, and leaves them alone. */
  readonly frozen?: boolean;
  /** Initial `weight`; ones by default, zeros for the last norm of a residual branch. */
  readonly scaleInit?: Initializer;
}

/**
 * Normalises each channel over batch and space (arXiv:1502.03167).
 *
 * In training with the batch's own biased variance; the running variance takes the unbiased one, as PyTorch's does
 * (ONNX's training mode would take the biased). In evaluation, or frozen: x·a + b from the running statistics.
 * `num_batches_tracked` is int64 in PyTorch's state dict; here it is a float32 buffer of shape [] (exact up to 2²⁴
 * steps), which checkpoints write as int64.
 *
 * @param x [batch, channels, height, width], sizes but the batch as numbers.
 * @returns The shape of x.
 * @throws ShapeError where the channels are symbolic, or where in training a channel has one value only.
 */
export function buildBatchNorm(
  { scope, mode }: BuildContext,
  x: Value,
  { epsilon = 1e-5, momentum = 0.1, frozen = false, scaleInit = ones }: BatchNormOptions = {},
): Value {
  const { batch, height, width } = checkShapes("nn/buildBatchNorm", [
    x,
    "x",
    ["batch", "channels", "height", "width"],
  ]);
  const [channels = 1] = staticShape(shapeOf(x).slice(1, 2), "nn/buildBatchNorm");
  const scale = scope.parameter("weight", [channels], { initializer: scaleInit });
  const bias = scope.parameter("bias", [channels], { initializer: zeros });
  const runningMean = scope.buffer("running_mean", [channels], zeros);
  const runningVariance = scope.buffer("running_var", [channels], ones);
  const batchesTracked = scope.buffer("num_batches_tracked", [], zeros);
  if (mode === "eval" || frozen) {
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
