// All golden models and a training run on TensorFlow.js's engine `webgpu`, which takes minutes where a software renderer stands in for a GPU.
import { createTfjsBackend } from "@diptych/backend-tfjs";
import { describeInstalledEngine, SMALLEST_MODEL } from "./engine-goldens.golden.test-support.js";
import { APPROXIMATE_FLOAT32 } from "./tolerances.golden.test-support.js";

await describeInstalledEngine({
  label: "TensorFlow.js, webgpu",
  create: () => createTfjsBackend({ engine: "webgpu" }),
  tolerances: APPROXIMATE_FLOAT32,
  trainings: SMALLEST_MODEL,
});
