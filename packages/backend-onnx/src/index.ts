/** The backend on ONNX Runtime. */
export { onnx, onnxSchema, type OnnxConfig } from "./config.js";
export { buildOnnxModel, type OnnxModelOptions } from "./export/build-onnx-model.js";
export { exportOnnxModel, type ExportOnnxOptions } from "./export/export-onnx-model.js";
export {
  writeOnnxModel,
  type WriteOnnxOptions,
  type WrittenOnnx,
} from "./export/write-onnx-model.js";
export { describeLowering, type LoweringDescription } from "./lowering/describe-lowering.js";
export { createOnnxBackend, type OnnxBackendOptions } from "./onnx-backend.js";
export { onnxPlugin } from "./plugin.js";
export { checkLibraryPair } from "./runtime/library-pair.js";
