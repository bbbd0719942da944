/** From a graph and its parameters to an .onnx file. */
import type { Graph } from "@diptych/core";
import { buildOnnxModel, type OnnxModelOptions } from "./build-onnx-model.js";
import { writeOnnxModel, type WriteOnnxOptions, type WrittenOnnx } from "./write-onnx-model.js";

export interface ExportOnnxOptions extends OnnxModelOptions, WriteOnnxOptions {}

/**
 * Writes a graph as an ONNX file of standard operators (opset 18) that any runtime reads; open sizes stay open.
 *
 * @throws BackendError on a parameter without a value, one that the precision cannot hold, or a failed write.
 * @example
 * await exportOnnxModel(createGraph("image", { image_embeds: built.encoded.image.pooled }), "vision_model.onnx", {
 *   parameters,
 *   inputNames: { image: "pixel_values" },
 * });
 */
export async function exportOnnxModel(
  graph: Graph,
  path: string,
  options: ExportOnnxOptions,
): Promise<WrittenOnnx> {
  return writeOnnxModel(path, buildOnnxModel(graph, options), options);
}
