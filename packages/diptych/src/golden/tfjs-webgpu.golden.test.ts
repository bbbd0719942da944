// The golden models and training runs on TensorFlow.js's engine `webgpu`.
import { createTfjsBackend, tfjsPlugin } from "@diptych/backend-tfjs";
import { describeInstalledEngine } from "./engine-goldens.golden.test-support.js";
import { APPROXIMATE_FLOAT32 } from "./tolerances.golden.test-support.js";

await describeInstalledEngine(
  tfjsPlugin,
  { engine: "webgpu" },
  {
    label: "TensorFlow.js, webgpu",
    create: () => createTfjsBackend({ engine: "webgpu" }),
    tolerances: APPROXIMATE_FLOAT32,
  },
);
