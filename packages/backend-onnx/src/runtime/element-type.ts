/** What each element type is called on ONNX's side, and how wide it is. */
import type { OrtDtype } from "./ort-runtime.js";

interface ElementType {
  /** ONNXTensorElementDataType, which equals TensorProto.DataType. */
  readonly code: number;
  readonly bytes: number;
}

export const elementTypes = {
  float32: { code: 1, bytes: 4 },
  int32: { code: 6, bytes: 4 },
  int64: { code: 7, bytes: 8 },
  bool: { code: 9, bytes: 1 },
  float16: { code: 10, bytes: 2 },
  bfloat16: { code: 16, bytes: 2 },
} as const satisfies Record<OrtDtype, ElementType>;

/** The dtype of an ONNX element code, or null for one that the runtime does not carry (double, string, …). */
export function elementTypeOfCode(code: number): OrtDtype | null {
  for (const dtype of Object.keys(elementTypes) as OrtDtype[]) {
    if (elementTypes[dtype].code === code) return dtype;
  }
  return null;
}

/** `float32[2,3]`, as errors write it; null is a size that the model leaves open. */
export function printTensorType(dtype: string, shape: readonly (number | null)[]): string {
  return `${dtype}[${shape.map((size) => size ?? "?").join(",")}]`;
}
