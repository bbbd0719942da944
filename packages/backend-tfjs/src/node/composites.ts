/** Composites that TensorFlow has a kernel for, or that take fewer passes over memory than their parts. */
import { elementCount } from "@diptych/core";
import type { CompositeAttrs } from "@diptych/core/backend";
import { POOLING_LOWERINGS } from "./convolution.js";
import { operand, resultOf, type TfCompositeLowerings, type TfLowering } from "./lowering.js";
import { meanOfRows, reduce } from "./reduction.js";
import { boolAttr, floatAttr, stringAttr, typeAttr } from "./tf-binding.js";
import type { TfOps, TfTensor } from "./tf-ops.js";

const mean: TfLowering<CompositeAttrs["mean"]> = (call, tf) =>
  reduce("Mean", operand(call, 0), { ...call.attrs, tf });

/** Along the last axis by the kernel; along another between two transposes. */
function alongLast(op: string): TfLowering<CompositeAttrs["softmax"]> {
  return (call, tf) => {
    const x = tf.cast(operand(call, 0), "float32");
    const last = x.shape.length - 1;
    const swapped = x.shape.map((_, axis) =>
      axis === last ? call.attrs.axis : axis === call.attrs.axis ? last : axis,
    );
    const moved = tf.transpose(x, swapped);
    // TensorFlow's kernel does not take an empty axis.
    if (moved.shape.includes(0)) return operand(call, 0);
    const y = tf.transpose(kernel(op, moved, tf), swapped);
    return tf.cast(y, resultOf(call).dtype);
  };
}

function kernel(op: string, x: TfTensor, tf: TfOps): TfTensor {
  return tf.same(op, [x], x.shape);
}

const relu: TfLowering<CompositeAttrs["relu"]> = (call, tf) =>
  tf.same("Relu", [operand(call, 0)], resultOf(call).shape);

/** x·Φ(x) = ½·x·(1 + erf(x/√2)), in float32 throughout. */
const gelu: TfLowering<CompositeAttrs["gelu"]> = (call, tf) => {
  const x = tf.cast(operand(call, 0), "float32");
  const { shape } = x;
  const turned = tf.same("Mul", [x, tf.number(Math.SQRT1_2, "float32")], shape);
  const half = tf.same("Mul", [x, tf.number(0.5, "float32")], shape);
  const share = tf.same("AddV2", [tf.same("Erf", [turned], shape), tf.number(1, "float32")], shape);
  return tf.cast(tf.same("Mul", [half, share], shape), resultOf(call).dtype);
};

/** x·σ(1.702x), in float32 throughout. */
const quickGelu: TfLowering<CompositeAttrs["quickGelu"]> = (call, tf) => {
  const x = tf.cast(operand(call, 0), "float32");
  const { shape } = x;
  const slope = tf.same("Mul", [x, tf.number(1.702, "float32")], shape);
  const gate = tf.same("Sigmoid", [slope], shape);
  return tf.cast(tf.same("Mul", [x, gate], shape), resultOf(call).dtype);
};

const last = { axes: [-1], keepDims: true } as const;

const layerNorm: TfLowering<CompositeAttrs["layerNorm"]> = (call, tf) => {
  const [given, scale, bias] = [operand(call, 0), operand(call, 1), operand(call, 2)];
  const x = tf.cast(given, "float32");
  const axes = [x.shape.length - 1];
  const { shape } = x;
  const average = reduce("Mean", x, { ...last, axes, tf });
  const centred = tf.same("Sub", [x, average], shape);
  // One pass that writes no squares: √Σc², and of that the square again.
  const length = reduce("EuclideanNorm", centred, { ...last, axes, tf });
  const width = tf.number(x.shape.at(-1) ?? 1, "float32");
  const squares = tf.same("Square", [length], length.shape);
  const variance = tf.same("RealDiv", [squares, width], length.shape);
  const epsilon = tf.number(call.attrs.epsilon, "float32");
  const invStd = tf.same(
    "Rsqrt",
    [tf.same("AddV2", [variance, epsilon], variance.shape)],
    variance.shape,
  );
  const normal = tf.cast(tf.same("Mul", [centred, invStd], shape), given.dtype);
  const scaled = tf.same("Mul", [normal, scale], shape);
  return [tf.same("AddV2", [scaled, bias], shape), average, invStd];
};

/**
 * Statistics by exact sums, then the kernel for given ones on pictures NHWC. The kernel's own statistics come from one
 * accumulator a channel: 1e-5 off over a batch of small pictures, which puts relu's units on the wrong side.
 */
const batchNorm: TfLowering<CompositeAttrs["batchNorm"]> = (call, tf) => {
  const [x, scale, bias] = [operand(call, 0), operand(call, 1), operand(call, 2)];
  const { epsilon, layout } = call.attrs;
  const axes = x.shape.map((_, axis) => axis);
  const channelsLast = layout ? axes : [...axes.filter((axis) => axis !== 1), 1];
  const moved = tf.transpose(tf.cast(x, "float32"), channelsLast);
  const channels = moved.shape.at(-1) ?? 0;
  const samples = elementCount(moved.shape.slice(0, -1));
  const rows = tf.reshape(moved, [samples, channels]);
  const average = meanOfRows(rows, tf);
  const squares = tf.same("SquaredDifference", [rows, average], rows.shape);
  const statistics = [average, meanOfRows(squares, tf)].map((row) => tf.reshape(row, [channels]));
  const attrs = [
    typeAttr("T", "float32"),
    typeAttr("U", "float32"),
    floatAttr("epsilon", epsilon),
    floatAttr("exponential_avg_factor", 1),
    stringAttr("data_format", "NHWC"),
    boolAttr("is_training", false),
  ];
  const vectors = [scale, bias].map((vector) => tf.cast(vector, "float32"));
  const picture = tf.reshape(moved, [samples, 1, 1, channels]);
  const inputs = [picture, ...vectors, ...statistics];
  const [y] = tf.callAll("FusedBatchNormV3", inputs, { attrs, outputs: 6 }) as [TfTensor];
  const back = axes.map((axis) => channelsLast.indexOf(axis));
  const output = tf.transpose(tf.reshape(y, moved.shape), back);
  return [tf.cast(output, x.dtype), ...statistics];
};

export const COMPOSITE_LOWERINGS: TfCompositeLowerings = {
  mean,
  softmax: alongLast("Softmax"),
  logSoftmax: alongLast("LogSoftmax"),
  relu,
  gelu,
  quickGelu,
  layerNorm,
  batchNorm,
  ...POOLING_LOWERINGS,
};
