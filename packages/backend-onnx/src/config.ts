/** Configuration of the backend `onnx`. */
import { partConstructor } from "@diptych/core/plugin";
import { z } from "zod";

/** Settings of one provider, which the others refuse. */
const OWNERS: Readonly<Record<string, string>> = {
  device: "cuda",
  tf32: "cuda",
  memoryLimit: "cuda",
  arena: "cuda",
  convolutionSearch: "cuda",
  copyOnComputeStream: "cuda",
  powerPreference: "webgpu",
};

/** The settings of another provider than the chosen one, with their owner; `device: 0` is what every provider has. */
export function foreignSettings(
  provider: string,
  given: object,
): readonly { readonly key: string; readonly value: unknown; readonly owner: string }[] {
  return Object.entries(given).flatMap(([key, value]: [string, unknown]) => {
    const owner = OWNERS[key] ?? provider;
    const isOwn = owner === provider || value === undefined || (key === "device" && value === 0);
    return isOwn ? [] : [{ key, value, owner }];
  });
}

const settings = z.strictObject({
  /** Execution provider: where graphs are computed. */
  provider: z.enum(["cpu", "webgpu", "cuda"]).default("cpu"),
  /** `cuda`: which GPU (default 0). WebGPU takes the one that `powerPreference` asks for. */
  device: z.int().min(0).optional(),
  /** `cuda`: whether float32 products and convolutions may round their operands to TF32, 10 bits of fraction (default false). */
  tf32: z.boolean().optional(),
  /** `cuda`: most bytes that ONNX Runtime takes on the card (default: all of it). */
  memoryLimit: z.int().min(1).optional(),
  /** `cuda`: how that memory grows: `asRequested` (default), or `powerOfTwo`, in fewer and larger pieces. */
  arena: z.enum(["asRequested", "powerOfTwo"]).optional(),
  /** `cuda`: how cuDNN picks a convolution's algorithm: `exhaustive` times all, once a shape (default), `heuristic` guesses, `default` takes its first. */
  convolutionSearch: z.enum(["exhaustive", "heuristic", "default"]).optional(),
  /** `cuda`: whether copies run on the stream that computes (default true). */
  copyOnComputeStream: z.boolean().optional(),
  /** `webgpu`: the discrete GPU (`high-performance`, default) or the one that saves power, where there are two. */
  powerPreference: z.enum(["high-performance", "low-power"]).optional(),
  /** Threads within one operator; default: the physical cores. */
  threads: z.int().min(1).optional(),
  /** How ONNX Runtime is called: its C API, onnxruntime-node's binding, or the first that loads. */
  adapter: z.enum(["auto", "capi", "binding"]).default("auto"),
  /** Path of another libonnxruntime than onnxruntime-node's. */
  library: z.string().min(1).optional(),
  /** Default: `all` for graphs whose weights are constants, else `basic`, which is as fast and compiles faster. */
  graphOptimization: z.enum(["disable", "basic", "extended", "all"]).optional(),
  /** Whether constants are kept in a form of ONNX Runtime's own as well: faster, two to three times the memory of the weights. */
  prepack: z.boolean().default(true),
});

export const onnxSchema = settings.superRefine((config, context) => {
  for (const { key, value, owner } of foreignSettings(config.provider, config)) {
    context.addIssue({
      code: "custom",
      path: [key],
      message: `expected none with the provider ${config.provider}, got ${JSON.stringify(value)}: it is a setting of ${owner}`,
    });
  }
});

export type OnnxConfig = z.output<typeof onnxSchema>;

/** The backend in a configuration: `backend: onnx({ threads: 2 })`, `onnx({ provider: "cuda", tf32: true })`. */
export const onnx = partConstructor("onnx", onnxSchema);
