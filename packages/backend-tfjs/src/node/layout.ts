/** Sizes and positions, and ops that move entries. */
import { InternalError } from "@diptych/core";
import type { PrimitiveAttrs } from "@diptych/core/backend";
import { uploadHost } from "./host-values.js";
import { operand, resultOf, type TfLowering } from "./lowering.js";
import { intAttr, typeAttr } from "./tf-binding.js";

const constant: TfLowering<PrimitiveAttrs["constant"]> = ({ attrs }, tf) =>
  uploadHost(attrs.value, tf);

const iota: TfLowering<PrimitiveAttrs["iota"]> = (call, tf) => {
  const size = call.sizeOf(call.attrs.dim);
  return tf.create(
    "int32",
    [size],
    Int32Array.from({ length: size }, (_, i) => i),
  );
};

const dimSize: TfLowering<PrimitiveAttrs["dimSize"]> = (call, tf) =>
  tf.number(call.sizeOf(call.attrs.dim), "int32");

const reshape: TfLowering<PrimitiveAttrs["reshape"]> = (call, tf) =>
  tf.reshape(operand(call, 0), resultOf(call).shape);

const transpose: TfLowering<PrimitiveAttrs["transpose"]> = (call, tf) =>
  tf.transpose(operand(call, 0), call.attrs.permutation);

const broadcast: TfLowering<PrimitiveAttrs["broadcast"]> = (call, tf) =>
  tf.broadcast(operand(call, 0), resultOf(call).shape);

const slice: TfLowering<PrimitiveAttrs["slice"]> = (call, tf) => {
  const x = operand(call, 0);
  const { shape, dtype } = resultOf(call);
  const begins = tf.ints(call.attrs.begins.map(call.sizeOf));
  const attrs = [typeAttr("T", dtype), typeAttr("Index", "int32")];
  return tf.call("Slice", [x, begins, tf.ints(shape)], { attrs, dtype, shape });
};

const pad: TfLowering<PrimitiveAttrs["pad"]> = (call, tf) => {
  const x = operand(call, 0);
  const { shape, dtype } = resultOf(call);
  const begins = call.attrs.begins.map(call.sizeOf);
  const margins = begins.flatMap((begin, axis) => [
    begin,
    (shape[axis] ?? 0) - begin - (x.shape[axis] ?? 0),
  ]);
  if (margins.every((margin) => margin === 0)) return x;
  const paddings = tf.reshape(tf.ints(margins), [begins.length, 2]);
  const attrs = [typeAttr("T", dtype), typeAttr("Tpaddings", "int32")];
  return tf.call("Pad", [x, paddings], { attrs, dtype, shape });
};

const concat: TfLowering<PrimitiveAttrs["concat"]> = (call, tf) => {
  const { shape, dtype } = resultOf(call);
  const [first] = call.inputs;
  if (!first) throw new InternalError("backend-tfjs/node: concat: expected operands, got none.");
  if (call.inputs.length === 1) return first;
  const axis = tf.number(call.attrs.axis, "int32");
  const attrs = [intAttr("N", call.inputs.length), typeAttr("T", dtype), typeAttr("Tidx", "int32")];
  return tf.call("ConcatV2", [...call.inputs, axis], { attrs, dtype, shape });
};

export const LAYOUT_LOWERINGS = {
  constant,
  iota,
  dimSize,
  reshape,
  transpose,
  broadcast,
  slice,
  pad,
  concat,
};
