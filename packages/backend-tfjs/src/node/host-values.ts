/** Host tensors to TensorFlow's and back. bfloat16, which the addon does not take, crosses as bytes and as float32. */
import { createHostTensor, hostBytes, hostTensorFrom, type HostTensor } from "@diptych/core";
import { TF_UINT8, typeAttr } from "./tf-binding.js";
import type { TfOps, TfTensor } from "./tf-ops.js";

/** `tensor` as TensorFlow's, which takes the array's memory as it is where that is aligned. */
export function uploadHost({ dtype, shape, data }: HostTensor, tf: TfOps): TfTensor {
  if (dtype === "bfloat16" || dtype === "float16") return uploadHalf({ dtype, shape, data }, tf);
  return tf.create(dtype, shape, data as Float32Array | Int32Array | Uint8Array);
}

function uploadHalf(tensor: HostTensor, tf: TfOps): TfTensor {
  const { dtype, shape } = tensor;
  return tf.scope(() => {
    const bytes = hostBytes(tensor);
    const id = tf.binding.createTensor([...shape, 2], TF_UINT8, bytes);
    try {
      const attrs = [typeAttr("T", TF_UINT8), typeAttr("type", dtype)];
      return tf.call("Bitcast", [{ id, dtype, shape }], { attrs, dtype, shape });
    } finally {
      tf.binding.deleteTensor(id);
    }
  });
}

/** A copy of `tensor` on the host. */
export function readTensor(tensor: TfTensor, tf: TfOps): HostTensor {
  const { dtype, shape } = tensor;
  if (dtype !== "bfloat16" && dtype !== "float16")
    return createHostTensor(dtype, shape, tf.binding.tensorDataSync(tensor.id) as never);
  const wide = tf.scope(() => tf.cast(tensor, "float32"));
  try {
    // Exact: every number of the narrow type is one of float32.
    return hostTensorFrom(dtype, shape, tf.binding.tensorDataSync(wide.id));
  } finally {
    tf.binding.deleteTensor(wide.id);
  }
}
