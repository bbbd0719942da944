/** The backend on ONNX Runtime. */
export { onnx, onnxSchema, type OnnxConfig } from "./config.js";
export { createOnnxBackend, type OnnxBackendOptions } from "./onnx-backend.js";
export { onnxPlugin } from "./plugin.js";
