/** The backend as a plugin. */
import { backend, definePlugin } from "@diptych/core/plugin";
import { onnxSchema } from "./config.js";
import { createOnnxBackend } from "./onnx-backend.js";

export const onnxPlugin = definePlugin({
  name: "@diptych/backend-onnx",
  contract: 1,
  provides: [
    backend("onnx", {
      summary: "ONNX Runtime on the CPU, parameters resident and updated in place",
      schema: onnxSchema,
      create: ({ provider, adapter, prepack, threads, library, graphOptimization }, { log }) =>
        createOnnxBackend({
          provider,
          adapter,
          prepack,
          log,
          ...(threads === undefined ? {} : { threads }),
          ...(library === undefined ? {} : { library }),
          ...(graphOptimization === undefined ? {} : { graphOptimization }),
        }),
    }),
  ],
});
