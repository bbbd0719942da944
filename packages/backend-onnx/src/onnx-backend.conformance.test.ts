import { describeBackendConformance } from "@diptych/testing";
import { createOnnxBackend } from "./onnx-backend.js";

describeBackendConformance({
  name: "onnx, cpu, through the C API",
  create: () => createOnnxBackend({ adapter: "capi", threads: 2 }),
});

describeBackendConformance({
  name: "onnx, cpu, through onnxruntime-node's binding",
  create: () => createOnnxBackend({ adapter: "binding", threads: 2 }),
});
