// The golden models and training runs on ONNX Runtime, through its C API and through the plain binding; and the runs in
// float64 throughout, which say what a step means and from whose states single steps are judged.
import { createOnnxBackend } from "@diptych/backend-onnx";
import { describeEngineGoldens } from "./engine-goldens.golden.test-support.js";
import { EXACT_FLOAT32 } from "./tolerances.golden.test-support.js";
import { describeExactTrainings } from "./training.golden.test-support.js";

describeExactTrainings();

for (const adapter of ["capi", "binding"] as const) {
  describeEngineGoldens({
    label: `ONNX Runtime, ${adapter}`,
    create: () => createOnnxBackend({ adapter }),
    tolerances: EXACT_FLOAT32,
    eachStep: adapter === "capi",
  });
}
