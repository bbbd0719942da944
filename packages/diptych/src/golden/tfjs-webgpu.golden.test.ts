// A golden model on TensorFlow.js's engine `webgpu`.
import { createTfjsBackend } from "@diptych/backend-tfjs";
import { describeInstalledEngine, SMALLEST_MODEL } from "./engine-goldens.golden.test-support.js";
import { APPROXIMATE_FLOAT32 } from "./tolerances.golden.test-support.js";

await describeInstalledEngine({
  label: "TensorFlow.js, webgpu",
  create: () => createTfjsBackend({ engine: "webgpu" }),
  tolerances: APPROXIMATE_FLOAT32,
  models: SMALLEST_MODEL,
  // Twenty steps take a software renderer minutes: they are in the slow tier.
  trainings: [],
});
