// The golden models and training runs on TensorFlow.js's engine `wasm`.
import { createTfjsBackend } from "@diptych/backend-tfjs";
import { describeInstalledEngine } from "./engine-goldens.golden.test-support.js";
import { EXACT_FLOAT32 } from "./tolerances.golden.test-support.js";

await describeInstalledEngine({
  label: "TensorFlow.js, wasm",
  create: () => createTfjsBackend({ engine: "wasm" }),
  tolerances: EXACT_FLOAT32,
});
