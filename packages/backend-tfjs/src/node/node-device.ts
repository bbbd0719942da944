/** libtensorflow as the executor's device: each node by its lowering, tensors counted by us. */
import {
  BYTES_PER_ELEMENT,
  createHostTensor,
  elementCount,
  InternalError,
  type HostTensor,
} from "@diptych/core";
import type { ConcreteType, Device } from "../executor/device.js";
import { readTensor, uploadHost } from "./host-values.js";
import type { TfCall } from "./lowering.js";
import { tfLoweringOf } from "./table.js";
import { TfOps, type TfTensor } from "./tf-ops.js";
import type { TfBinding } from "./tf-binding.js";

/** @param binding The addon of tfjs-node. */
export function createNodeDevice(binding: TfBinding): Device<TfTensor> {
  const tf = new TfOps(binding);
  const live = new Map<number, number>();
  let bytes = 0;
  const keep = (tensor: TfTensor): TfTensor => {
    const size = elementCount(tensor.shape) * BYTES_PER_ELEMENT[tensor.dtype];
    live.set(tensor.id, size);
    bytes += size;
    return tensor;
  };
  const alias = (tensor: TfTensor): TfTensor =>
    keep(tf.apart(() => tf.same("Identity", [tensor], tensor.shape)));
  /** An operand, what is kept of one, a constant, one tensor for two results: each handle has a life of its own. */
  const ownHandle = (tensor: TfTensor): TfTensor =>
    live.has(tensor.id) || tf.isKept(tensor) ? alias(tensor) : keep(tensor);
  return {
    synchronous: true,
    enter: () => Promise.resolve(),
    upload: (tensor, lasting) =>
      keep(tf.apart(() => uploadHost(lasting ? tensor : copyOf(tensor), tf))),
    read: (tensor) => Promise.resolve(readTensor(tensor, tf)),
    alias,
    free: ({ id }) => {
      bytes -= live.get(id) ?? 0;
      live.delete(id);
      binding.deleteTensor(id);
    },
    execute: (call) => {
      const derive: typeof call.derive = (index, key, make) =>
        call.derive(index, key, () => ownHandle(make()));
      return tf.apart(() => lower({ ...call, derive }, tf)).map(ownHandle);
    },
    usage: () => ({ tensors: live.size, bytes }),
    dispose: () => {
      for (const id of live.keys()) binding.deleteTensor(id);
      live.clear();
      bytes = 0;
      tf.dispose();
    },
  };
}

function copyOf({ dtype, shape, data }: HostTensor): HostTensor {
  return createHostTensor(dtype, shape, data.slice() as never);
}

function lower(call: TfCall, tf: TfOps): readonly TfTensor[] {
  const { op } = call.node;
  const lowering = tfLoweringOf(op);
  if (!lowering) throw new InternalError(`backend-tfjs/node: op: expected a lowering of ${op}.`);
  const made = lowering(call, tf);
  const list = "id" in made ? [made] : made;
  return list.map((tensor, i) => checked(op, tensor, call.outputs[i]));
}

/** What the rest of the graph takes a result for must be what it is. */
function checked(op: string, tensor: TfTensor, expected: ConcreteType | undefined): TfTensor {
  if (expected?.dtype === tensor.dtype && expected.shape.join() === tensor.shape.join())
    return tensor;
  throw new InternalError(
    `backend-tfjs/node: ${op}: expected ${expected?.dtype}[${expected?.shape.join()}], got ${tensor.dtype}[${tensor.shape.join()}].`,
  );
}
