/**
 * Convolutions and pooling of NHWC pictures. Filters are OIHW in the graph and HWIO in TensorFlow. Its fast kernels for
 * gradients know the paddings SAME and VALID alone, so any other is written out as margins of zeros; gradients of grouped
 * convolutions, which it lacks on the CPU, go group by group.
 */
import { InternalError, type Attrs } from "@diptych/core";
import type { CompositeAttrs, ConvAttrs, PrimitiveAttrs } from "@diptych/core/backend";
import {
  operand,
  resultOf,
  type TfCall,
  type TfCompositeLowerings,
  type TfLowering,
  type TfPrimitiveLowerings,
} from "./lowering.js";
import { boolAttr, intAttr, stringAttr, typeAttr, type TfAttr } from "./tf-binding.js";
import type { TfOps, TfTensor } from "./tf-ops.js";

type Sides = readonly [number, number, number, number];

interface Window {
  readonly strides: readonly [number, number];
  /** Top, left, bottom, right. */
  readonly padding: Sides;
}

const toHwio = [2, 3, 1, 0];
const toOihw = [3, 2, 0, 1];

function convAttrs(
  { strides, padding }: { readonly strides: readonly number[]; readonly padding: string },
  {
    dtype,
    margins = [],
  }: { readonly dtype: TfTensor["dtype"]; readonly margins?: readonly number[] },
): readonly TfAttr[] {
  return [
    typeAttr("T", dtype),
    intAttr("strides", [1, ...strides, 1]),
    stringAttr("padding", padding),
    intAttr("explicit_paddings", margins),
    stringAttr("data_format", "NHWC"),
    intAttr("dilations", [1, 1, 1, 1]),
    boolAttr("use_cudnn_on_gpu", true),
  ];
}

/** Margins on both sides of one axis that TensorFlow's SAME takes. */
function sameMargins(size: number, kernel: number, stride: number): readonly [number, number] {
  const total = Math.max((Math.ceil(size / stride) - 1) * stride + kernel - size, 0);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

/** Name of the padding in TensorFlow, where it has one. */
function namedPadding(
  [height = 1, width = 1]: readonly number[],
  [kernelHeight = 1, kernelWidth = 1]: readonly number[],
  { strides, padding }: Window,
): "VALID" | "SAME" | undefined {
  if (padding.every((margin) => margin === 0)) return "VALID";
  const [top, bottom] = sameMargins(height, kernelHeight, strides[0]);
  const [left, right] = sameMargins(width, kernelWidth, strides[1]);
  const same = [top, left, bottom, right];
  return padding.every((margin, side) => margin === same[side]) ? "SAME" : undefined;
}

function withMargins(x: TfTensor, [top, left, bottom, right]: Sides, tf: TfOps): TfTensor {
  if (top + left + bottom + right === 0) return x;
  const [batch = 0, height = 0, width = 0, channels = 0] = x.shape;
  const shape = [batch, height + top + bottom, width + left + right, channels];
  const margins = tf.reshape(tf.ints([0, 0, top, bottom, left, right, 0, 0]), [4, 2]);
  const attrs = [typeAttr("T", x.dtype), typeAttr("Tpaddings", "int32")];
  return tf.call("Pad", [x, margins], { attrs, dtype: x.dtype, shape });
}

function slice(
  x: TfTensor,
  begins: readonly number[],
  { shape, tf }: { readonly shape: readonly number[]; readonly tf: TfOps },
): TfTensor {
  const attrs = [typeAttr("T", x.dtype), typeAttr("Index", "int32")];
  return tf.call("Slice", [x, tf.ints(begins), tf.ints(shape)], { attrs, dtype: x.dtype, shape });
}

/** Operand 1, a filter, as TensorFlow wants it: kept for the gradient, and of a constant for good. */
function filterHwio<A extends Attrs>(call: TfCall<A>, tf: TfOps): TfTensor {
  const filter = operand(call, 1);
  return call.derive(1, "hwio", () => tf.apart(() => tf.transpose(filter, toHwio)));
}

const conv2d: TfLowering<PrimitiveAttrs["conv2d"]> = (call, tf) => {
  const [x, filter] = [operand(call, 0), operand(call, 1)];
  const { strides, padding } = call.attrs;
  const { dtype, shape } = resultOf(call);
  const named = namedPadding(x.shape.slice(1, 3), filter.shape.slice(2), call.attrs);
  const [top, left, bottom, right] = padding;
  const attrs = convAttrs(
    { strides, padding: named ?? "EXPLICIT" },
    { dtype, ...(named ? {} : { margins: [0, 0, top, bottom, left, right, 0, 0] }) },
  );
  return tf.call("Conv2D", [x, filterHwio(call, tf)], { attrs, dtype, shape });
};

interface GradientSizes extends Window {
  readonly tf: TfOps;
}

/** dx of one group; filter is HWIO. */
function inputGradient(
  dy: TfTensor,
  filter: TfTensor,
  { shape, strides, padding, tf }: GradientSizes & { readonly shape: readonly number[] },
): TfTensor {
  const named = namedPadding(shape.slice(1, 3), filter.shape.slice(0, 2), { strides, padding });
  const [batch = 0, height = 0, width = 0, channels = 0] = shape;
  const [top, left, bottom, right] = padding;
  const whole = named ? shape : [batch, height + top + bottom, width + left + right, channels];
  const attrs = convAttrs({ strides, padding: named ?? "VALID" }, { dtype: dy.dtype });
  const dx = tf.call("Conv2DBackpropInput", [tf.ints(whole), filter, dy], {
    attrs,
    dtype: dy.dtype,
    shape: whole,
  });
  return named ? dx : slice(dx, [0, top, left, 0], { shape, tf });
}

/** Gradient of one group's HWIO filter. */
function filterGradient(
  x: TfTensor,
  dy: TfTensor,
  { shape, strides, padding, tf }: GradientSizes & { readonly shape: readonly number[] },
): TfTensor {
  const named = namedPadding(x.shape.slice(1, 3), shape.slice(0, 2), { strides, padding });
  const wide = named ? x : withMargins(x, padding, tf);
  const attrs = convAttrs({ strides, padding: named ?? "VALID" }, { dtype: x.dtype });
  const { dtype } = x;
  return tf.call("Conv2DBackpropFilter", [wide, tf.ints(shape), dy], { attrs, dtype, shape });
}

/** The `groups` equal parts of x along its last axis. */
function split(x: TfTensor, groups: number, tf: TfOps): readonly TfTensor[] {
  if (groups === 1) return [x];
  const attrs = [intAttr("num_split", groups), typeAttr("T", x.dtype)];
  const axis = tf.number(x.shape.length - 1, "int32");
  return tf.callAll("Split", [axis, x], { attrs, outputs: groups });
}

function join(parts: readonly TfTensor[], tf: TfOps): TfTensor {
  const [first] = parts;
  if (!first) throw new InternalError("backend-tfjs/node: groups: expected one or more, got none.");
  if (parts.length === 1) return first;
  const { dtype } = first;
  const attrs = [intAttr("N", parts.length), typeAttr("T", dtype), typeAttr("Tidx", "int32")];
  const axis = tf.number(first.shape.length - 1, "int32");
  const width = parts.reduce((sum, { shape }) => sum + (shape.at(-1) ?? 0), 0);
  const shape = [...first.shape.slice(0, -1), width];
  return tf.call("ConcatV2", [...parts, axis], { attrs, dtype, shape });
}

/**
 * Whether each channel has filters of its own: then one kernel takes all groups. TensorFlow's wants equal strides and
 * float32.
 */
function isDepthwise(
  { attrs }: TfCall<ConvAttrs>,
  [filters, channels]: readonly number[],
): boolean {
  const [down, across] = attrs.strides;
  return attrs.groups > 1 && channels === 1 && (filters ?? 0) >= attrs.groups && down === across;
}

/** Shape of a depthwise filter in TensorFlow: [height, width, channels, filters of a channel]. */
function depthwiseShape(
  [filters = 0, , height = 1, width = 1]: readonly number[],
  groups: number,
): readonly number[] {
  return [height, width, groups, filters / groups];
}

/** A filter [filters, 1, height, width] as TensorFlow's, in float32. */
function depthwiseFilter(call: TfCall<ConvAttrs>, tf: TfOps): TfTensor {
  const filter = operand(call, 1);
  const { groups } = call.attrs;
  const [filters = 0, , ...kernel] = filter.shape;
  return call.derive(1, "depthwise", () =>
    tf.apart(() => {
      const grouped = tf.reshape(filter, [groups, filters / groups, ...kernel]);
      return tf.cast(tf.transpose(grouped, [2, 3, 0, 1]), "float32");
    }),
  );
}

const depthwiseInputGradient: TfLowering<PrimitiveAttrs["conv2dInputGradient"]> = (call, tf) => {
  const dy = tf.cast(operand(call, 0), "float32");
  const { shape, dtype } = resultOf(call);
  const kernel = operand(call, 1).shape.slice(2);
  const { attrs, margins, wide } = paddedAs(call.attrs, { shape, kernel });
  const inputs = [tf.ints(wide), depthwiseFilter(call, tf), dy];
  const op = "DepthwiseConv2dNativeBackpropInput";
  const dx = tf.call(op, inputs, { attrs, dtype: "float32", shape: wide });
  const [top, left] = margins;
  return tf.cast(wide === shape ? dx : slice(dx, [0, top, left, 0], { shape, tf }), dtype);
};

const depthwiseFilterGradient: TfLowering<PrimitiveAttrs["conv2dFilterGradient"]> = (call, tf) => {
  const [x, dy] = [operand(call, 0), operand(call, 1)].map((part) => tf.cast(part, "float32"));
  const { shape, dtype } = resultOf(call);
  if (!x || !dy) throw new InternalError("backend-tfjs/node: operands of a filter's gradient.");
  const { attrs, margins } = paddedAs(call.attrs, { shape: x.shape, kernel: shape.slice(2) });
  const filterShape = depthwiseShape(shape, call.attrs.groups);
  const inputs = [withMargins(x, margins, tf), tf.ints(filterShape), dy];
  const op = "DepthwiseConv2dNativeBackpropFilter";
  const gradient = tf.call(op, inputs, { attrs, dtype: "float32", shape: filterShape });
  return tf.cast(tf.reshape(tf.transpose(gradient, [2, 3, 0, 1]), shape), dtype);
};

/** Attributes of a depthwise kernel, and what is to be written out as margins around the picture of `shape`. */
function paddedAs(
  { strides, padding }: Window,
  { shape, kernel }: { readonly shape: readonly number[]; readonly kernel: readonly number[] },
) {
  const named = namedPadding(shape.slice(1, 3), kernel, { strides, padding });
  const [top, left, bottom, right] = padding;
  const [batch = 0, height = 0, width = 0, channels = 0] = shape;
  const none: Sides = [0, 0, 0, 0];
  return {
    attrs: convAttrs({ strides, padding: named ?? "VALID" }, { dtype: "float32" }).filter(
      ({ name }) => name !== "use_cudnn_on_gpu",
    ),
    margins: named ? none : padding,
    wide: named ? shape : [batch, height + top + bottom, width + left + right, channels],
  };
}

const conv2dInputGradient: TfLowering<PrimitiveAttrs["conv2dInputGradient"]> = (call, tf) => {
  if (isDepthwise(call, operand(call, 1).shape)) return depthwiseInputGradient(call, tf);
  const { strides, padding, groups } = call.attrs;
  const inputShape = resultOf(call).shape;
  const filters = split(filterHwio(call, tf), groups, tf);
  const shape = [...inputShape.slice(0, 3), (inputShape[3] ?? 0) / groups];
  const parts = split(operand(call, 0), groups, tf).map((dy, group) => {
    const filter = filters[group];
    if (!filter) throw new InternalError("backend-tfjs/node: groups of filters differ.");
    return inputGradient(dy, filter, { shape, strides, padding, tf });
  });
  return join(parts, tf);
};

const conv2dFilterGradient: TfLowering<PrimitiveAttrs["conv2dFilterGradient"]> = (call, tf) => {
  if (isDepthwise(call, resultOf(call).shape)) return depthwiseFilterGradient(call, tf);
  const { strides, padding, groups } = call.attrs;
  const [outputs = 0, channels = 0, height = 1, width = 1] = resultOf(call).shape;
  const shape = [height, width, channels, outputs / groups];
  const pictures = split(operand(call, 0), groups, tf);
  const parts = split(operand(call, 1), groups, tf).map((dy, group) => {
    const x = pictures[group];
    if (!x) throw new InternalError("backend-tfjs/node: groups of pictures differ.");
    return filterGradient(x, dy, { shape, strides, padding, tf });
  });
  return tf.transpose(join(parts, tf), toOihw);
};

const avgPool2d: TfLowering<CompositeAttrs["avgPool2d"]> = (call, tf) => {
  const x = operand(call, 0);
  const { shape, dtype } = resultOf(call);
  const window = [1, ...call.attrs.size, 1];
  const attrs = [
    typeAttr("T", "float32"),
    intAttr("ksize", window),
    intAttr("strides", window),
    stringAttr("padding", "VALID"),
    stringAttr("data_format", "NHWC"),
  ];
  const pooled = tf.call("AvgPool", [tf.cast(x, "float32")], { attrs, dtype: "float32", shape });
  return tf.cast(pooled, dtype);
};

export const CONVOLUTION_LOWERINGS: Pick<
  TfPrimitiveLowerings,
  "conv2d" | "conv2dInputGradient" | "conv2dFilterGradient"
> = { conv2d, conv2dInputGradient, conv2dFilterGradient };
export const POOLING_LOWERINGS: Pick<TfCompositeLowerings, "avgPool2d"> = { avgPool2d };
