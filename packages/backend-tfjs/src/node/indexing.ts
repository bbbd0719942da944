/** Indexing: rows by GatherV2; single entries, which TensorFlow has no op for, by their position in the flat tensor. */
import { elementCount, shapeOf, type HostTensor, type Node } from "@diptych/core";
import type { PrimitiveAttrs } from "@diptych/core/backend";
import { operand, resultOf, type TfLowering } from "./lowering.js";
import { intAttr, typeAttr } from "./tf-binding.js";
import type { TfOps, TfTensor } from "./tf-ops.js";

function gather(
  x: TfTensor,
  indices: TfTensor,
  {
    axis,
    shape,
    tf,
  }: { readonly axis: number; readonly shape: readonly number[]; readonly tf: TfOps },
): TfTensor {
  const attrs = [
    intAttr("batch_dims", 0),
    typeAttr("Tparams", x.dtype),
    typeAttr("Tindices", "int32"),
    typeAttr("Taxis", "int32"),
  ];
  return tf.call("GatherV2", [x, indices, tf.number(axis, "int32")], {
    attrs,
    dtype: x.dtype,
    shape,
  });
}

const take: TfLowering<PrimitiveAttrs["take"]> = (call, tf) =>
  gather(operand(call, 0), operand(call, 1), {
    axis: call.attrs.axis,
    shape: resultOf(call).shape,
    tf,
  });

/** Position in flat x of each entry that `indices` names along `axis`; its other axes name themselves. */
function flatPositions(
  x: TfTensor,
  indices: TfTensor,
  { axis, tf }: { readonly axis: number; readonly tf: TfOps },
): TfTensor {
  const stride = elementCount(x.shape.slice(axis + 1));
  const others = tf.constant(`positions${x.shape.join()}/${indices.shape.join()}/${axis}`, () =>
    tf.create("int32", indices.shape, otherPositions(x.shape, indices.shape, axis)),
  );
  const own = tf.same("Mul", [indices, tf.number(stride, "int32")], indices.shape);
  const positions = tf.same("AddV2", [own, others], indices.shape);
  return tf.reshape(positions, [elementCount(indices.shape)]);
}

function otherPositions(
  shape: readonly number[],
  indices: readonly number[],
  axis: number,
): Int32Array {
  const positions = new Int32Array(elementCount(indices));
  const strides = shape.map((_, i) => elementCount(shape.slice(i + 1)));
  positions.forEach((_, at) => {
    let rest = at;
    let position = 0;
    for (let i = indices.length - 1; i >= 0; i -= 1) {
      const size = indices[i] ?? 1;
      if (i !== axis) position += (rest % size) * (strides[i] ?? 1);
      rest = Math.floor(rest / size);
    }
    positions[at] = position;
  });
  return positions;
}

const takeAlong: TfLowering<PrimitiveAttrs["takeAlong"]> = (call, tf) => {
  const [x, indices] = [operand(call, 0), operand(call, 1)];
  const positions = flatPositions(x, indices, { axis: call.attrs.axis, tf });
  const flat = tf.reshape(x, [elementCount(x.shape)]);
  const taken = gather(flat, positions, { axis: 0, shape: positions.shape, tf });
  return tf.reshape(taken, indices.shape);
};

function scatter(
  x: TfTensor,
  [indices, updates]: readonly [TfTensor, TfTensor],
  tf: TfOps,
): TfTensor {
  const attrs = [typeAttr("T", x.dtype), typeAttr("Tindices", "int32")];
  const column = tf.reshape(indices, [elementCount(indices.shape), 1]);
  const { dtype, shape } = x;
  return tf.call("TensorScatterAdd", [x, column, updates], { attrs, dtype, shape });
}

/**
 * Index of each row, where the indices of a whole row of x are one number stretched over it, as in the gradient of an
 * embedding: rows are then added instead of single entries.
 */
function rowIndices(node: Node, indices: TfTensor, tf: TfOps): TfTensor | undefined {
  const stretched = node.inputs[1]?.node;
  const source = stretched?.inputs[0];
  const [count = 0, ...others] = indices.shape;
  if (stretched?.op !== "broadcast" || !source || others.length === 0) return undefined;
  const shape = shapeOf(source);
  if (shape.length !== indices.shape.length || !shape.slice(1).every((size) => size === 1))
    return undefined;
  const corner = indices.shape.map(() => 0);
  const first = [count, ...others.map(() => 1)];
  const attrs = [typeAttr("T", "int32"), typeAttr("Index", "int32")];
  const column = tf.call("Slice", [indices, tf.ints(corner), tf.ints(first)], {
    attrs,
    dtype: "int32",
    shape: first,
  });
  return tf.reshape(column, [count]);
}

/** Whether a node is 0 everywhere: a constant, stretched or reshaped. */
function isZero(node: Node | undefined): boolean {
  if (node?.op === "broadcast" || node?.op === "reshape") return isZero(node.inputs[0]?.node);
  if (node?.op !== "constant") return false;
  const { data } = node.attrs["value"] as HostTensor;
  return data.length === 1 && data[0] === 0;
}

/** Rows of x of `shape`, each the sum of the updates that have its index. */
function segmentSum(
  updates: TfTensor,
  rows: TfTensor,
  { shape, tf }: { readonly shape: readonly number[]; readonly tf: TfOps },
): TfTensor {
  const { dtype } = updates;
  const attrs = [
    typeAttr("T", dtype),
    typeAttr("Tindices", "int32"),
    typeAttr("Tnumsegments", "int32"),
  ];
  const count = tf.number(shape[0] ?? 0, "int32");
  return tf.call("UnsortedSegmentSum", [updates, rows, count], { attrs, dtype, shape });
}

const scatterAdd: TfLowering<PrimitiveAttrs["scatterAdd"]> = (call, tf) => {
  const [x, indices, updates] = [operand(call, 0), operand(call, 1), operand(call, 2)];
  const { axis } = call.attrs;
  const rows = axis === 0 ? rowIndices(call.node, indices, tf) : undefined;
  if (rows && x.shape.slice(1).join() === updates.shape.slice(1).join()) {
    // The gradient of an embedding is added to zeros: another kernel writes them once instead of copying them.
    return isZero(call.node.inputs[0]?.node)
      ? segmentSum(updates, rows, { shape: x.shape, tf })
      : scatter(x, [rows, updates], tf);
  }
  const positions = flatPositions(x, indices, { axis, tf });
  const flat = (tensor: TfTensor): TfTensor => tf.reshape(tensor, [elementCount(tensor.shape)]);
  return tf.reshape(scatter(flat(x), [positions, flat(updates)], tf), x.shape);
};

export const INDEXING_LOWERINGS = { take, takeAlong, scatterAdd };
