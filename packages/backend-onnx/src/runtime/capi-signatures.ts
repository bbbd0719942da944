/** Reads the names, dtypes and shapes of a session's inputs and outputs through the C API. */
import { BackendError } from "@diptych/core";
import type { Handle } from "./c-api.js";
import type { CapiEnvironment } from "./capi-environment.js";
import { elementTypeOfCode } from "./element-type.js";
import { takeHandle, takeNumber } from "./native-ort.js";
import type { OrtFailureContext } from "./ort-errors.js";
import type { TensorSignature } from "./tensor-signature.js";

/** @throws BackendError for an input or output whose type the runtime does not carry. */
export function readSignatures(
  environment: CapiEnvironment,
  session: Handle,
  context: OrtFailureContext,
): { inputs: TensorSignature[]; outputs: TensorSignature[] } {
  const { native, allocator } = environment;
  const { api } = native;
  const read = (kind: "Input" | "Output"): TensorSignature[] => {
    const count = takeNumber(native, context, (out) => api[`SessionGet${kind}Count`](session, out));
    return Array.from({ length: count }, (_, index) => {
      const text = takeHandle(native, context, (out) =>
        api[`SessionGet${kind}Name`](session, index, allocator, out),
      );
      const name = native.readString(text);
      native.check(api.AllocatorFree(allocator, text), context);
      const info = takeHandle(native, context, (out) =>
        api[`SessionGet${kind}TypeInfo`](session, index, out),
      );
      try {
        return readType(environment, { info, name, context });
      } finally {
        api.ReleaseTypeInfo(info);
      }
    });
  };
  return { inputs: read("Input"), outputs: read("Output") };
}

interface TypeReading {
  readonly info: Handle;
  readonly name: string;
  readonly context: OrtFailureContext;
}

function readType(
  { native }: CapiEnvironment,
  { info, name, context }: TypeReading,
): TensorSignature {
  const { api } = native;
  const tensor: [Handle | null] = [null];
  native.check(api.CastTypeInfoToTensorInfo(info, tensor), context);
  if (tensor[0] === null) throw unsupportedType(name, "a sequence or map", context);
  const handle = tensor[0];
  const code = takeNumber(native, context, (out) => api.GetTensorElementType(handle, out));
  const dtype = elementTypeOfCode(code);
  if (dtype === null) throw unsupportedType(name, `ONNX element type ${code}`, context);
  const rank = takeNumber(native, context, (out) => api.GetDimensionsCount(handle, out));
  const sizes = new BigInt64Array(Math.max(rank, 1));
  native.check(api.GetDimensions(handle, sizes, rank), context);
  const shape = Array.from(sizes.subarray(0, rank), (size) => (size < 0n ? null : Number(size)));
  return { name, dtype, shape };
}

function unsupportedType(name: string, got: string, context: OrtFailureContext): BackendError {
  return new BackendError(
    `backend-onnx/${context.doing}: "${context.label}": type of "${name}": expected float32, float16, bfloat16, int32, int64 ` +
      `or bool tensor, got ${got}. Cast it inside the model.`,
  );
}
