/** Computes what only rearranges constants ahead of time, so that a weight stands in a model in the form that is read. */
import { halvesOf } from "./half-floats.js";
import { ONNX_TYPE_NUMBERS, type OnnxGraph, type OnnxNode, type OnnxTensor } from "./onnx-model.js";

type Constants = ReadonlyMap<string, OnnxTensor>;
type Folded = Omit<OnnxTensor, "name" | "external">;
type Fold = (node: OnnxNode, operands: readonly OnnxTensor[]) => Folded | undefined;

function ints({ bytes }: OnnxTensor): number[] {
  const { buffer, byteOffset, byteLength } = bytes;
  return Array.from(new BigInt64Array(buffer, byteOffset, byteLength / 8), Number);
}

/** A tensor's float32 values, over its own memory where that is aligned. */
export function floatsOf({ bytes }: Pick<OnnxTensor, "bytes">): Float32Array {
  const whole = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Float32Array(whole.buffer, whole.byteOffset, whole.byteLength / 4);
}

/** The bytes of an array, over its own memory. */
export function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

const reshape: Fold = (node, [x, target]) => {
  if (!x || !target) return undefined;
  const sizes = ints(target).map((size, axis) =>
    size === 0 && node.attributes["allowzero"] !== 1 ? (x.shape[axis] ?? 0) : size,
  );
  const count = x.shape.reduce((product, size) => product * size, 1);
  const known = sizes.filter((size) => size !== -1).reduce((product, size) => product * size, 1);
  const shape = sizes.map((size) => (size === -1 ? count / known : size));
  return { dtype: x.dtype, shape, bytes: x.bytes };
};

const transpose: Fold = ({ attributes }, [x]) => {
  const permutation = attributes["perm"];
  if (x?.dtype !== "float32" || x.shape.length !== 2 || !Array.isArray(permutation))
    return undefined;
  if (permutation[0] !== 1) return undefined;
  const [rows = 0, columns = 0] = x.shape;
  const bytes = bytesOf(transposedFloats(floatsOf(x), rows, columns));
  return { dtype: x.dtype, shape: [columns, rows], bytes };
};

const cast: Fold = ({ attributes }, [x]) => {
  if (x?.dtype !== "float32" || attributes["to"] !== ONNX_TYPE_NUMBERS.float16) return undefined;
  return halfTensor(x, x.name);
};

const FOLDS: Readonly<Record<string, Fold>> = {
  Reshape: reshape,
  Transpose: transpose,
  Cast: cast,
};

/** [rows, columns] → [columns, rows]. */
function transposedFloats(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = values[row * columns + column]!;
  return result;
}

/** A float32 tensor in 16 bits, under another name. */
export function halfTensor(tensor: OnnxTensor, name: string): OnnxTensor {
  const halves = halvesOf(floatsOf(tensor));
  return { name, dtype: "float16", shape: tensor.shape, bytes: bytesOf(halves) };
}

/** The graph with Reshape, Transpose and Cast of constants computed, and without constants that nothing reads. */
export function foldConstants(graph: OnnxGraph): OnnxGraph {
  const constants = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const nodes = graph.nodes.filter((node) => {
    const folded = outputs.has(node.outputs[0] ?? "") ? undefined : foldNode(node, constants);
    if (folded) constants.set(folded.name, folded);
    return !folded;
  });
  return withoutUnread({ ...graph, nodes, initializers: [...constants.values()] });
}

function foldNode(node: OnnxNode, constants: Constants): OnnxTensor | undefined {
  const operands = node.inputs.map((name) => constants.get(name));
  const known = operands.filter((operand) => operand !== undefined);
  if (node.domain !== "" || known.length < operands.length) return undefined;
  const folded = FOLDS[node.op]?.(node, known);
  const [name] = node.outputs;
  return folded && name !== undefined ? { ...folded, name } : undefined;
}

/** The graph without initializers that no node reads. */
export function withoutUnread(graph: OnnxGraph): OnnxGraph {
  const read = new Set(graph.nodes.flatMap(({ inputs }) => inputs));
  return { ...graph, initializers: graph.initializers.filter(({ name }) => read.has(name)) };
}
