// The golden models on TensorFlow.js's engine `cpu`.
import { createTfjsBackend } from "@diptych/backend-tfjs";
import { describeInstalledEngine } from "./engine-goldens.golden.test-support.js";
import { EXACT_FLOAT32 } from "./tolerances.golden.test-support.js";

await describeInstalledEngine({
  label: "TensorFlow.js, cpu",
  create: () => createTfjsBackend({ engine: "cpu" }),
  tolerances: EXACT_FLOAT32,
  // Training takes plain JavaScript minutes: it is in the slow tier.
  trainings: [],
});
