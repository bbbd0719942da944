/** Execution providers as the backend offers them: their settings, what may stand in a graph for each, and their name for people. */
import { BackendError, DTYPES, type DType } from "@diptych/core";
import { foreignSettings } from "./config.js";
import { findChannelBlock } from "./channel-block.js";
import { findNarrowFloats } from "./narrow-probe.js";
import { CPU_TARGET, CUDA_TARGET, WEBGPU_TARGET, type LoweringTarget } from "./lowering/target.js";
import { encodeCudaOptions, type CudaSettings } from "./runtime/cuda-options.js";
import type { OrtRuntime } from "./runtime/ort-runtime.js";
import type { OrtProvider, ProviderName } from "./runtime/provider.js";

/** Which provider, and its own settings; those of another one are refused. */
export interface ProviderSettings extends CudaSettings {
  /** Execution provider: where graphs are computed; default `cpu`. */
  readonly provider?: ProviderName;
  /** `webgpu`: the discrete GPU (default), or the one that saves power, where there are two. */
  readonly powerPreference?: "high-performance" | "low-power";
}

/** What a provider lowers to, and the dtypes that may stand in its graphs. */
export interface ProviderTarget extends LoweringTarget {
  readonly dtypes: ReadonlySet<DType>;
}

/** The provider with its settings in its own words. @throws BackendError for another provider's, or a device that WebGPU cannot choose. */
export function chooseProvider(settings: ProviderSettings): OrtProvider {
  const { provider = "cpu", device = 0, powerPreference = "high-performance" } = settings;
  const [foreign] = foreignSettings(provider, settings);
  if (foreign && !(provider === "webgpu" && foreign.key === "device")) {
    throw new BackendError(
      `backend-onnx/createOnnxBackend: ${foreign.key}: expected none with the provider ${provider}, ` +
        `got ${JSON.stringify(foreign.value)}: it is a setting of ${foreign.owner}. Leave it out.`,
    );
  }
  if (provider === "cpu") return { name: "cpu" };
  if (provider === "cuda") return { name: "cuda", device, options: encodeCudaOptions(settings) };
  if (device !== 0) {
    throw new BackendError(
      `backend-onnx/createOnnxBackend: device: expected 0 for the provider webgpu, which picks the GPU itself, got ${device}. ` +
        "Leave it out, or choose by `powerPreference`.",
    );
  }
  // Positions (argmax) and sizes are int64 in ONNX.
  return {
    name: "webgpu",
    device,
    options: { powerPreference, enableInt64: "1", preserveDevice: "1" },
  };
}

/** What the runtime's provider lowers to, completed by trying what cannot be asked. */
export async function chooseTarget(runtime: OrtRuntime): Promise<ProviderTarget> {
  const all = new Set<DType>(DTYPES);
  switch (runtime.provider) {
    case "cpu": {
      // onnxruntime-node's binding has no bfloat16 tensors.
      if (runtime.adapter !== "capi") all.delete("bfloat16");
      return { ...CPU_TARGET, channelBlock: await findChannelBlock(runtime), dtypes: all };
    }
    case "webgpu":
    case "cuda": {
      const target = runtime.provider === "cuda" ? CUDA_TARGET : WEBGPU_TARGET;
      return { ...target, dtypes: await findNarrowFloats(runtime, target) };
    }
  }
}

/** The provider in a line for people. */
export function describeProvider({ provider = "cpu", device = 0, tf32 }: ProviderSettings): string {
  if (provider !== "cuda") return provider;
  return `cuda, device ${device}${tf32 === true ? ", TF32" : ""}`;
}
