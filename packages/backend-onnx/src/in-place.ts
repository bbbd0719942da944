/**
 * Whether an output may be written into the memory of an input. ONNX Runtime does not know of the alias: it may run the
 * node that makes the output before another one that still reads the input. So every other reader must be an ancestor
 * of that node, and the node itself must read an entry before it writes it.
 */
import type { OnnxGraph, OnnxNode, OnnxTensor } from "./model-proto/onnx-model.js";

/** Results that lie in the memory of the first operand. */
const ALIASING_OPS: ReadonlySet<string> = new Set([
  "Identity",
  "Reshape",
  "Squeeze",
  "Unsqueeze",
  "Flatten",
]);

/** Ops that read an entry of an operand of the result's shape only for the same entry of the result. */
const ELEMENTWISE_OPS: ReadonlySet<string> = new Set([
  "Add",
  "Sub",
  "Mul",
  "Div",
  "Max",
  "Min",
  "Neg",
  "Abs",
  "Sqrt",
  "Exp",
  "Log",
  "Where",
  "And",
  "Or",
  "Not",
]);

/** Answers for an input and an output of equal type. */
export type InPlaceCheck = (input: string, output: string) => boolean;

export function createInPlaceCheck(graph: OnnxGraph): InPlaceCheck {
  const producers = new Map(
    graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node])),
  );
  const readers = readersOf(graph.nodes);
  const identities = new Set(graph.initializers.filter(isNeutral).map(({ name }) => name));
  const answers = new Map<string, boolean>();

  const check: InPlaceCheck = (input, output) => {
    const producer = producers.get(output);
    if (!producer || ALIASING_OPS.has(producer.op)) return false;
    // The optimiser may drop it, and then an earlier node writes.
    if (producer.inputs.some((name) => identities.has(name))) return false;
    const reading = readersOfMemory(input, readers);
    if (reading.has(producer) && !ELEMENTWISE_OPS.has(producer.op)) return false;
    const before = ancestorsOf(producer, producers);
    return [...reading].every((node) => node === producer || before.has(node));
  };

  return (input, output) => {
    const key = JSON.stringify([input, output]);
    const answer = answers.get(key) ?? check(input, output);
    answers.set(key, answer);
    return answer;
  };
}

type Readers = ReadonlyMap<string, readonly OnnxNode[]>;

function readersOf(nodes: readonly OnnxNode[]): Readers {
  const readers = new Map<string, OnnxNode[]>();
  for (const node of nodes) {
    for (const name of new Set(node.inputs)) {
      const found = readers.get(name);
      if (found) found.push(node);
      else readers.set(name, [node]);
    }
  }
  return readers;
}

/** Nodes that read the input's memory, under its own name or that of a result that lies in it. */
function readersOfMemory(input: string, readers: Readers): ReadonlySet<OnnxNode> {
  const found = new Set<OnnxNode>();
  const open = [input];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    for (const node of readers.get(name) ?? []) {
      found.add(node);
      if (ALIASING_OPS.has(node.op) && node.inputs[0] === name) open.push(...node.outputs);
    }
  }
  return found;
}

function ancestorsOf(
  node: OnnxNode,
  producers: ReadonlyMap<string, OnnxNode>,
): ReadonlySet<OnnxNode> {
  const found = new Set<OnnxNode>();
  const open = [node];
  for (let next = open.pop(); next; next = open.pop()) {
    for (const name of next.inputs) {
      const producer = producers.get(name);
      if (!producer || found.has(producer)) continue;
      found.add(producer);
      open.push(producer);
    }
  }
  return found;
}

/** A constant of zeros or ones, which may make its reader an identity. */
function isNeutral({ dtype, bytes }: OnnxTensor): boolean {
  if (dtype !== "float32" && dtype !== "int32") return true;
  if (bytes.byteLength > 1024) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = Array.from({ length: bytes.byteLength / 4 }, (_, i) =>
    dtype === "float32" ? view.getFloat32(4 * i, true) : view.getInt32(4 * i, true),
  );
  return values.every((value) => value === 0) || values.every((value) => value === 1);
}
