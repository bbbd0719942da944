// The golden training runs on the reference: what the step means, in float64 throughout; and, where no relu lets rounding
// decide, with the state rounded to float32 between steps, as the reference backend keeps it.
import { createReferenceBackend } from "@diptych/core/reference";
import { describeExactTrainings, describeTrainingGoldens } from "./training.golden.test-support.js";
import { hasKinks } from "./models.golden.test-support.js";
import { goldenTrainings } from "./training-run.golden.test-support.js";

describeExactTrainings();
describeTrainingGoldens("the reference backend", createReferenceBackend, {
  names: goldenTrainings().filter((name) => !hasKinks(name)),
});
