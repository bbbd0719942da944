// The contract on ONNX Runtime's WebGPU provider: a graph of fixed sizes with a node that falls back to the CPU fails.
import { describeBackendConformance } from "@diptych/testing";
import { createOnnxBackend } from "./onnx-backend.js";
import { describeProviderSuite } from "./provider.test-support.js";

await describeProviderSuite("webgpu", () => {
  describeBackendConformance({
    name: "onnx, webgpu",
    create: () => createOnnxBackend({ provider: "webgpu", cpuFallback: false }),
    large: false,
  });
});
