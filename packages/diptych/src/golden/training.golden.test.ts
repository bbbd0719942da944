// The golden training runs on the reference backend, which keeps the state in float32 between steps, where no relu lets
// rounding decide. (In float64 throughout: with ONNX Runtime's, which are judged from those states.)
import { createReferenceBackend } from "@diptych/core/reference";
import { hasKinks } from "./models.golden.test-support.js";
import { goldenTrainings } from "./training-run.golden.test-support.js";
import { describeTrainingGoldens } from "./training.golden.test-support.js";

describeTrainingGoldens("the reference backend", createReferenceBackend, {
  names: goldenTrainings().filter((name) => !hasKinks(name)),
  eachStep: false,
});
