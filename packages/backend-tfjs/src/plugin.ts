/** The backend as a plugin. */
import { backend, definePlugin } from "@diptych/core/plugin";
import { tfjsSchema } from "./config.js";
import { diagnoseEngines } from "./engines/diagnose.js";
import { createTfjsBackend } from "./tfjs-backend.js";

export const tfjsPlugin = definePlugin({
  name: "@diptych/backend-tfjs",
  contract: 1,
  provides: [
    backend("tfjs", {
      summary: "TensorFlow.js: libtensorflow, WebGPU, WebAssembly or plain JavaScript",
      schema: tfjsSchema,
      create: ({ engine, threads }, { log }) =>
        createTfjsBackend({ engine, log, ...(threads === undefined ? {} : { threads }) }),
      diagnose: diagnoseEngines,
    }),
  ],
});
