/** Inputs whose values are known when a graph is compiled become initializers of its model. */
import { hostBytes, inputName, type Graph } from "@diptych/core";
import type { Constants } from "@diptych/core/backend";
import type { OnnxGraph, OnnxTensor } from "./model-proto/onnx-model.js";
import type { OrtRuntime, OrtTensor } from "./runtime/ort-runtime.js";

/** Up to this many bytes a value stands in the model itself, where ONNX Runtime's optimiser reads it. */
const INLINE_BYTES = 1024;

/**
 * Tensors of the constants, by input, that every run reads: over the host's own arrays, or on the device.
 * @throws BackendError when the device's memory does not hold them.
 */
export async function placeConstants(
  graph: Graph,
  constants: Constants,
  runtime: OrtRuntime,
): Promise<ReadonlyMap<string, OrtTensor>> {
  const placed = new Map<string, OrtTensor>();
  try {
    for (const { node } of graph.inputs) {
      const name = inputName(node);
      const value = constants.get(name);
      if (!value) continue;
      const { buffer, byteOffset, byteLength } = value.data;
      const bytes = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
      const onDevice = runtime.place === "device";
      const tensor = onDevice
        ? runtime.allocate(value.dtype, value.shape)
        : runtime.borrow(value.dtype, value.shape, bytes);
      placed.set(name, tensor);
      if (onDevice) await runtime.write(tensor, bytes);
    }
    return placed;
  } catch (error) {
    for (const tensor of placed.values()) tensor.dispose();
    throw error;
  }
}

/** The model's graph with constants as initializers, over the host's memory. */
export function bindConstants(
  graph: OnnxGraph,
  constants: Constants,
  inputNames: ReadonlyMap<string, string>,
): OnnxGraph {
  const tensors = new Map<string, OnnxTensor>();
  for (const [input, name] of inputNames) {
    const value = constants.get(input);
    if (!value) continue;
    const { dtype, shape } = value;
    tensors.set(name, { name, dtype, shape, bytes: hostBytes(value) });
  }
  return {
    ...graph,
    inputs: graph.inputs.filter(({ name }) => !tensors.has(name)),
    initializers: [...graph.initializers, ...tensors.values()],
  };
}

/** The graph with its large initializers apart from it, each under a location of its own name. */
export function splitInitializers(graph: OnnxGraph): {
  readonly graph: OnnxGraph;
  readonly apart: readonly OnnxTensor[];
} {
  const initializers = graph.initializers.map((tensor) =>
    tensor.bytes.byteLength <= INLINE_BYTES
      ? tensor
      : { ...tensor, external: { location: tensor.name, offset: 0 } },
  );
  const apart = initializers.filter(({ external }) => external);
  return { graph: { ...graph, initializers }, apart };
}
