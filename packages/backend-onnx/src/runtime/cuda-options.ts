/** The CUDA provider's options (OrtCUDAProviderOptionsV2), encoded and added to a session. */
import type { Handle } from "./c-api.js";
import { takeHandle, type NativeOrt } from "./native-ort.js";
import type { OrtFailureContext } from "./ort-errors.js";
import type { DeviceProvider } from "./provider.js";

/** Settings of the provider `cuda`; what is left out is ONNX Runtime's default, where nothing else is said. */
export interface CudaSettings {
  /** Which GPU, as CUDA counts them; default 0. */
  readonly device?: number;
  /** Whether float32 products and convolutions may round their operands to TF32 (10 bits); default false. */
  readonly tf32?: boolean;
  /** Most bytes that the provider's arena takes; default: the card's memory. */
  readonly memoryLimit?: number;
  /** How the arena grows: by what is asked (default), or to the next power of two. */
  readonly arena?: "asRequested" | "powerOfTwo";
  /** How cuDNN picks an algorithm for convolutions: by trying all (default), by a guess, or its first. */
  readonly convolutionSearch?: "exhaustive" | "heuristic" | "default";
  /** Whether copies run on the stream that computes (default true). */
  readonly copyOnComputeStream?: boolean;
}

const ARENA_STRATEGIES = {
  asRequested: "kSameAsRequested",
  powerOfTwo: "kNextPowerOfTwo",
} as const;

/** Settings in the provider's own words. */
export function encodeCudaOptions(settings: CudaSettings): Readonly<Record<string, string>> {
  const { device = 0, tf32 = false, memoryLimit, arena = "asRequested" } = settings;
  const { convolutionSearch = "exhaustive", copyOnComputeStream = true } = settings;
  return {
    device_id: String(device),
    arena_extend_strategy: ARENA_STRATEGIES[arena],
    cudnn_conv_algo_search: convolutionSearch.toUpperCase(),
    do_copy_in_default_stream: copyOnComputeStream ? "1" : "0",
    use_tf32: tf32 ? "1" : "0",
    ...(memoryLimit === undefined ? {} : { gpu_mem_limit: String(memoryLimit) }),
  };
}

/** Makes the provider's options, hands them to `use`, and frees them. */
function withCudaOptions<Result>(
  native: NativeOrt,
  options: Readonly<Record<string, string>>,
  { context, use }: { context: OrtFailureContext; use: (handle: Handle) => Result },
): Result {
  const { api } = native;
  const handle = takeHandle(native, context, (out) => api.CreateCUDAProviderOptions(out));
  try {
    const keys = Object.keys(options);
    const values = keys.map((key) => options[key] ?? "");
    native.check(api.UpdateCUDAProviderOptions(handle, keys, values, keys.length), context);
    return use(handle);
  } finally {
    api.ReleaseCUDAProviderOptions(handle);
  }
}

/** Adds the provider to a session's options. @throws BackendError when ONNX Runtime cannot load it, saying what it lacks. */
export function appendCuda(
  native: NativeOrt,
  sessionOptions: Handle,
  { provider, context }: { provider: DeviceProvider; context: OrtFailureContext },
): void {
  withCudaOptions(native, provider.options, {
    context,
    use: (handle) =>
      native.check(
        native.api.SessionOptionsAppendExecutionProvider_CUDA_V2(sessionOptions, handle),
        context,
      ),
  });
}
