/** Configuration of the backend `onnx`. */
import { partConstructor } from "@diptych/core/plugin";
import { z } from "zod";

export const onnxSchema = z.strictObject({
  /** Execution provider. */
  provider: z.enum(["cpu"]).default("cpu"),
  /** Threads within one operator; default: the physical cores. */
  threads: z.int().min(1).optional(),
  /** How ONNX Runtime is called: its C API, onnxruntime-node's binding, or the first that loads. */
  adapter: z.enum(["auto", "capi", "binding"]).default("auto"),
  /** Path of another libonnxruntime than onnxruntime-node's. */
  library: z.string().min(1).optional(),
  graphOptimization: z.enum(["disable", "basic", "extended", "all"]).default("basic"),
});

export type OnnxConfig = z.output<typeof onnxSchema>;

/** The backend in a configuration: `backend: onnx({ threads: 2 })`. */
export const onnx = partConstructor("onnx", onnxSchema);
