// Golden training runs on TensorFlow.js's engine `cpu`.
import { createTfjsBackend } from "@diptych/backend-tfjs";
import { describeInstalledEngine } from "./engine-goldens.golden.test-support.js";
import { hasKinks } from "./models.golden.test-support.js";
import { goldenTrainings } from "./training-run.golden.test-support.js";
import { EXACT_FLOAT32 } from "./tolerances.golden.test-support.js";

await describeInstalledEngine({
  label: "TensorFlow.js, cpu",
  create: () => createTfjsBackend({ engine: "cpu" }),
  tolerances: EXACT_FLOAT32,
  models: [],
  // Gradients of convolutions take plain JavaScript many minutes.
  trainings: goldenTrainings().filter((name) => !hasKinks(name)),
});
