// All golden models and a training run on ONNX Runtime's WebGPU provider, which takes minutes where a software renderer stands in for a GPU.
import { createOnnxBackend } from "@diptych/backend-onnx";
import { describeInstalledEngine, SMALLEST_MODEL } from "./engine-goldens.golden.test-support.js";
import { APPROXIMATE_FLOAT32 } from "./tolerances.golden.test-support.js";

await describeInstalledEngine({
  label: "ONNX Runtime, webgpu",
  create: () => createOnnxBackend({ provider: "webgpu" }),
  tolerances: APPROXIMATE_FLOAT32,
  trainings: SMALLEST_MODEL,
});
