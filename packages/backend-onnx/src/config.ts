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
  /** Default: `all` for graphs whose weights are constants, else `basic`, which is as fast and compiles faster. */
  graphOptimization: z.enum(["disable", "basic", "extended", "all"]).optional(),
  /** Whether constants are kept in a form of ONNX Runtime's own as well: faster, two to three times the memory of the weights. */
  prepack: z.boolean().default(true),
});

export type OnnxConfig = z.output<typeof onnxSchema>;

/** The backend in a configuration: `backend: onnx({ threads: 2 })`. */
export const onnx = partConstructor("onnx", onnxSchema);
