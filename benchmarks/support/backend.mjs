// Backends by their part of a configuration.
import { createOnnxBackend, onnxSchema } from "@diptych/backend-onnx";
import { createTfjsBackend, tfjsSchema } from "@diptych/backend-tfjs";

const kinds = {
  onnx: (settings) => createOnnxBackend(onnxSchema.parse(settings)),
  tfjs: (settings) => createTfjsBackend(tfjsSchema.parse(settings)),
};

/** `{ type: "tfjs", engine: "node" }` → a backend. */
export function createBackend({ type, ...settings }) {
  return kinds[type](settings);
}
