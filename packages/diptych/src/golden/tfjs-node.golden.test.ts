// The golden models and training runs on TensorFlow.js's engine `node`.
import { createTfjsBackend } from "@diptych/backend-tfjs";
import { describeInstalledEngine } from "./engine-goldens.golden.test-support.js";
import { EXACT_FLOAT32 } from "./tolerances.golden.test-support.js";

await describeInstalledEngine({
  label: "TensorFlow.js, node",
  create: () => createTfjsBackend({ engine: "node" }),
  tolerances: EXACT_FLOAT32,
});
