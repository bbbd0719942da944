/**
 * The part of tfjs-node's native addon that is used: TensorFlow's ops by name on tensors by handle. Everything else of
 * tfjs stays out of the way, so that types that it does not know (bfloat16) and ops without a kernel there are open.
 */
import type { DType } from "@diptych/core";

/** An attribute of an op. `type` is a TF_AttrType of TensorFlow's C header. */
export interface TfAttr {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** A result as the addon describes it. */
export interface TfOutput {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: number;
}

/** `tf.backend().binding` of tfjs-node. */
export interface TfBinding {
  readonly TF_Version: string;
  /** Takes the array's memory as it is where it is aligned: it must not change as long as the tensor lives. */
  createTensor(
    shape: readonly number[],
    dtype: number,
    data: Float32Array | Int32Array | Uint8Array,
  ): number;
  deleteTensor(id: number): void;
  /** A copy. Of float32, int32 and bool alone. */
  tensorDataSync(id: number): Float32Array | Int32Array | Uint8Array;
  executeOp(
    name: string,
    attrs: readonly TfAttr[],
    inputs: readonly number[],
    outputs: number,
  ): readonly TfOutput[];
  /** Handles that are alive, in the whole process. */
  getNumOfTensors(): number;
}

/** TF_DataType of tensorflow/c/tf_datatype.h. */
export const TF_DTYPES: Readonly<Record<DType, number>> = Object.freeze({
  float32: 1,
  int32: 3,
  bool: 10,
  bfloat16: 14,
  float16: 19,
});

export const TF_UINT8 = 4;

const attrTypes = { string: 0, int: 1, float: 2, bool: 3, type: 4, shape: 5 } as const;

export function stringAttr(name: string, value: string): TfAttr {
  return { name, type: attrTypes.string, value };
}

export function intAttr(name: string, value: number | readonly number[]): TfAttr {
  return { name, type: attrTypes.int, value };
}

export function floatAttr(name: string, value: number): TfAttr {
  return { name, type: attrTypes.float, value };
}

export function boolAttr(name: string, value: boolean): TfAttr {
  return { name, type: attrTypes.bool, value };
}

export function typeAttr(name: string, dtype: DType | number): TfAttr {
  return {
    name,
    type: attrTypes.type,
    value: typeof dtype === "number" ? dtype : TF_DTYPES[dtype],
  };
}
