/** Tensors with numbers in them, for the runtime's tests. */
import type { OrtDtype, OrtRuntime, OrtTensor } from "./ort-runtime.js";

/** A tensor of zeros. */
export function zeroTensor(
  runtime: OrtRuntime,
  dtype: OrtDtype,
  shape: readonly number[],
): OrtTensor {
  const tensor = runtime.allocate(dtype, shape);
  tensor.view().fill(0);
  return tensor;
}

/** A float32 tensor with the given values, row-major. */
export function floatTensor(
  runtime: OrtRuntime,
  shape: readonly number[],
  values: readonly number[],
): OrtTensor {
  const tensor = runtime.allocate("float32", shape);
  floatsOf(tensor).set(values);
  return tensor;
}

/** The live values of a float32 tensor. */
export function floatsOf(tensor: OrtTensor): Float32Array {
  const bytes = tensor.view();
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

/** The message of the error that `promise` rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => {
      throw new Error("expected a rejection");
    },
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}
