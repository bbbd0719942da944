/** Stored bytes to host tensors: floats become float32, integers int32, booleans stay. */
import {
  bfloat16Value,
  CheckpointError,
  createHostTensor,
  float16Value,
  type HostTensor,
} from "@diptych/core";
import type { StoredTensor } from "./header.js";

/** `bytes` own their buffer from offset 0, so that typed arrays can lie over them. */
export function convertStored(
  path: string,
  tensor: StoredTensor,
  bytes: Uint8Array<ArrayBuffer>,
): HostTensor {
  const { shape, stored } = tensor;
  const { buffer } = bytes;
  const floats = (values: ArrayLike<number>, decode: (x: number) => number): HostTensor =>
    createHostTensor("float32", shape, Float32Array.from(values, decode));
  switch (stored) {
    case "F32":
      return createHostTensor("float32", shape, new Float32Array(buffer));
    case "F64":
      return createHostTensor("float32", shape, Float32Array.from(new Float64Array(buffer)));
    case "F16":
      return floats(new Uint16Array(buffer), float16Value);
    case "BF16":
      return floats(new Uint16Array(buffer), bfloat16Value);
    case "I64":
      return createHostTensor(
        "int32",
        shape,
        Int32Array.from(new BigInt64Array(buffer), (value) => narrow(path, tensor, value)),
      );
    case "I32":
      return createHostTensor("int32", shape, new Int32Array(buffer));
    case "I16":
      return createHostTensor("int32", shape, Int32Array.from(new Int16Array(buffer)));
    case "I8":
      return createHostTensor("int32", shape, Int32Array.from(new Int8Array(buffer)));
    case "U8":
      return createHostTensor("int32", shape, Int32Array.from(bytes));
    case "BOOL":
      return createHostTensor("bool", shape, bytes);
  }
}

function narrow(path: string, { name }: StoredTensor, value: bigint): number {
  const number = Number(value);
  if (number === (number | 0)) return number;
  throw new CheckpointError(
    `checkpoints/safetensors: tensor "${name}" of ${path}: expected integers of 32 bits, got ${value}.`,
  );
}
