/** The backend as a plugin. */
import { backend, definePlugin } from "@diptych/core/plugin";
import { onnxSchema, type OnnxConfig } from "./config.js";
import { diagnoseProviders } from "./diagnose.js";
import { createOnnxBackend, type OnnxBackendOptions } from "./onnx-backend.js";

/** What a configuration leaves out is the backend's default. */
function givenSettings(config: OnnxConfig): OnnxBackendOptions {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
}

export const onnxPlugin = definePlugin({
  name: "@diptych/backend-onnx",
  contract: 1,
  provides: [
    backend("onnx", {
      summary: "ONNX Runtime on the CPU, WebGPU or CUDA, parameters resident where it computes",
      schema: onnxSchema,
      diagnose: diagnoseProviders,
      create: (config, { log }) => createOnnxBackend({ ...givenSettings(config), log }),
    }),
  ],
});
