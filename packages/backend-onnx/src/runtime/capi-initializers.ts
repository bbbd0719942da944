/**
 * A session's weights over the C API: ONNX Runtime reads them where they lie. It keeps the addresses until the session
 * is released, so the caller keeps the arrays as long.
 */
import { ONNX_TYPE_NUMBERS, type OnnxTensor } from "../model-proto/onnx-model.js";
import type { Handle } from "./c-api.js";
import type { CapiEnvironment } from "./capi-environment.js";
import { takeHandle } from "./native-ort.js";
import type { OrtFailureContext } from "./ort-errors.js";

/** Gives the session options the values of the model's external initializers. @throws BackendError on a refused tensor. */
export function addInitializers(
  { native, memoryInfo }: CapiEnvironment,
  options: Handle,
  {
    tensors,
    context,
  }: { readonly tensors: readonly OnnxTensor[]; readonly context: OrtFailureContext },
): void {
  if (tensors.length === 0) return;
  const { api } = native;
  const values: Handle[] = [];
  try {
    for (const { dtype, shape, bytes } of tensors) {
      const sizes = BigInt64Array.from(shape, BigInt);
      values.push(
        takeHandle(native, context, (out) =>
          api.CreateTensorWithDataAsOrtValue(
            memoryInfo,
            bytes,
            bytes.byteLength,
            sizes,
            sizes.length,
            ONNX_TYPE_NUMBERS[dtype],
            out,
          ),
        ),
      );
    }
    const names = tensors.map(({ name }) => name);
    native.check(
      api.AddExternalInitializers(options, names, BigUint64Array.from(values), values.length),
      context,
    );
  } finally {
    // The options hold values of their own over the same memory.
    for (const value of values) api.ReleaseValue(value);
  }
}
