/** What to say when a graph does not fit the memory: which of its tensors are the largest, and what makes them smaller. */
import {
  BackendError,
  evaluateShape,
  inputName,
  isLeafInput,
  type DimBinding,
  type DType,
  type Graph,
} from "@diptych/core";
import { graphNodes } from "@diptych/core/backend";
import { elementTypes, printTensorType } from "./runtime/element-type.js";
import { isOutOfMemory } from "./runtime/ort-errors.js";

const NAMED = 3;

interface NamedTensor {
  readonly name: string;
  readonly type: string;
  readonly bytes: number;
}

/** What a run was of. */
export interface FailedRun {
  readonly graph: Graph;
  readonly binding: DimBinding;
  readonly label: string;
}

/** `error`, or one that names the largest tensors where it says that memory ran out. */
export function explainMemory(error: unknown, { graph, binding, label }: FailedRun): unknown {
  if (!isOutOfMemory(error)) return error;
  const largest = largestTensors(graph, binding)
    .map(({ name, type, bytes }) => `${name} ${type} (${printBytes(bytes)})`)
    .join(", ");
  return new BackendError(
    `backend-onnx/run: memory for "${label}": expected enough, got none left; its largest tensors are ${largest}. ` +
      "Use a smaller micro-batch (fewer samples a step: `training.batchSize`), or `training.rematerialise`.",
    { cause: error },
  );
}

function largestTensors(graph: Graph, binding: DimBinding): readonly NamedTensor[] {
  return graphNodes(graph)
    .flatMap((node) =>
      node.outputs.map(({ dtype, shape }): NamedTensor => {
        const sizes = evaluateShape(shape, binding);
        const where = node.origin === "" ? "" : ` at ${node.origin}`;
        const name = isLeafInput(node) ? `"${inputName(node)}"` : `${node.op}${where}`;
        const bytes = byteLength(dtype, sizes);
        return { name, type: printTensorType(dtype, sizes), bytes };
      }),
    )
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, NAMED);
}

function byteLength(dtype: DType, shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, elementTypes[dtype].bytes);
}

function printBytes(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
