// The golden training runs on ONNX Runtime, in float32, with state updated in place.
import { createOnnxBackend } from "@diptych/backend-onnx";
import { describeTrainingGoldens } from "./training.golden.test-support.js";

describeTrainingGoldens("ONNX Runtime", () => createOnnxBackend());
