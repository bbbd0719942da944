/** Large weights that a 16-bit model still reads as float32 (embeddings, filters of wide ops) are stored in 16 bits. */
import { BackendError } from "@diptych/core";
import { halfTensor, withoutUnread } from "../model-proto/fold-constants.js";
import {
  ONNX_TYPE_NUMBERS,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
} from "../model-proto/onnx-model.js";

/** Smaller ones are norms' and biases: they stay as they are. */
const SMALLEST = 2048;

/** The graph with large float32 initializers as float16, cast where they are read: looked-up rows after, others before. */
export function narrowGraph(graph: OnnxGraph): OnnxGraph {
  const large = new Map(
    graph.initializers
      .filter(({ dtype, bytes }) => dtype === "float32" && bytes.byteLength / 4 >= SMALLEST)
      .map((tensor) => [tensor.name, tensor]),
  );
  const halves = new Map<string, OnnxTensor>();
  const widened = new Set<string>();
  const narrowed = (name: string): string => {
    const tensor = large.get(name);
    if (tensor && !halves.has(name)) halves.set(name, halfTensor(tensor, `${name}.half`));
    return `${name}.half`;
  };
  const nodes = graph.nodes.flatMap((node): readonly OnnxNode[] => {
    const wide = [...new Set(node.inputs.filter((name) => large.has(name)))];
    const [table = "", ids = ""] = node.inputs;
    const [y = ""] = node.outputs;
    if (node.op === "Gather" && large.has(table)) {
      const row = `${y}.half`;
      return [
        { ...node, inputs: [narrowed(table), ids], outputs: [row] },
        widening(`${node.name}.widen`, row, y),
      ];
    }
    const casts = wide
      .filter((name) => !widened.has(name))
      .map((name) => widening(`widen.${name}`, narrowed(name), `${name}.wide`));
    for (const name of wide) widened.add(name);
    const inputs = node.inputs.map((name) => (large.has(name) ? `${name}.wide` : name));
    return [...casts, { ...node, inputs }];
  });
  const initializers = [...graph.initializers, ...halves.values()];
  const narrow = withoutUnread({ ...graph, nodes, initializers });
  checkFinite(narrow.initializers);
  return narrow;
}

function widening(name: string, half: string, wide: string): OnnxNode {
  const attributes = { to: ONNX_TYPE_NUMBERS.float32 };
  return { name, op: "Cast", domain: "", inputs: [half], outputs: [wide], attributes };
}

const INFINITE_BITS = 0x7c00;

/** @throws BackendError on a weight beyond the range of float16. */
function checkFinite(tensors: readonly OnnxTensor[]): void {
  for (const { name, dtype, bytes } of tensors) {
    if (dtype !== "float16") continue;
    const bits = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
    if (bits.every((half) => (half & INFINITE_BITS) !== INFINITE_BITS)) continue;
    throw new BackendError(
      `backend-onnx/buildOnnxModel: float16: expected weights within ±65504, got larger ones or NaN in "${name}". Export it as float32.`,
    );
  }
}
