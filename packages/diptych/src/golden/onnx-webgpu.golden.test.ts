// A golden model on ONNX Runtime's WebGPU provider.
import { createOnnxBackend } from "@diptych/backend-onnx";
import { describeInstalledEngine, SMALLEST_MODEL } from "./engine-goldens.golden.test-support.js";
import { APPROXIMATE_FLOAT32 } from "./tolerances.golden.test-support.js";

await describeInstalledEngine({
  label: "ONNX Runtime, webgpu",
  create: () => createOnnxBackend({ provider: "webgpu" }),
  tolerances: APPROXIMATE_FLOAT32,
  models: SMALLEST_MODEL,
  // Twenty steps take a software renderer minutes: they are in the slow tier.
  trainings: [],
});
