/** Writing a model: one file, or, where that would come near protobuf's 2 GB, weights in a second one beside it. */
import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { basename } from "node:path";
import { BackendError } from "@diptych/core";
import { encodeModel } from "../model-proto/encode-model.js";
import type { OnnxModel, OnnxTensor } from "../model-proto/onnx-model.js";

export interface WriteOnnxOptions {
  /** Weights of more bytes than this go to a file of their own; default 1.5 GB. */
  readonly externalDataAbove?: number;
}

/** Files of a written model. */
export interface WrittenOnnx {
  readonly path: string;
  /** `<path>_data`, where there is one: the name that transformers.js looks for. */
  readonly dataPath?: string;
}

/** Smaller ones stay in the model, where shape inference may read them. */
const SMALLEST_EXTERNAL = 1024;
/** External tensors start at pages, so that they can be mapped into memory. */
const ALIGNMENT = 4096;

/** Writes beside `path` and renames, the data first: a file under the final name is whole. @throws BackendError on a failed write. */
export async function writeOnnxModel(
  path: string,
  model: OnnxModel,
  { externalDataAbove = 1.5e9 }: WriteOnnxOptions = {},
): Promise<WrittenOnnx> {
  const { initializers } = model.graph;
  const total = initializers.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  if (total <= externalDataAbove) {
    await writeChunks(path, [encodeModel(model)]);
    return { path };
  }
  const dataPath = `${path}_data`;
  const placed = placeTensors(initializers, basename(dataPath));
  await writeChunks(dataPath, dataChunks(placed));
  await writeChunks(path, [
    encodeModel({ ...model, graph: { ...model.graph, initializers: placed } }),
  ]);
  return { path, dataPath };
}

function placeTensors(tensors: readonly OnnxTensor[], location: string): readonly OnnxTensor[] {
  let offset = 0;
  return tensors.map((tensor) => {
    if (tensor.bytes.byteLength < SMALLEST_EXTERNAL) return tensor;
    const external = { location, offset };
    offset += Math.ceil(tensor.bytes.byteLength / ALIGNMENT) * ALIGNMENT;
    return { ...tensor, external };
  });
}

function* dataChunks(tensors: readonly OnnxTensor[]): Generator<Uint8Array> {
  let written = 0;
  for (const { bytes, external } of tensors) {
    if (!external) continue;
    yield new Uint8Array(external.offset - written);
    yield bytes;
    written = external.offset + bytes.byteLength;
  }
}

async function writeChunks(path: string, chunks: Iterable<Uint8Array>): Promise<void> {
  const temporary = `${path}.${randomUUID()}.partial`;
  try {
    const file = await open(temporary, "wx");
    try {
      for (const chunk of chunks) await file.writeFile(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new BackendError(
      `backend-onnx/writeOnnxModel: ${path}: expected to write it, got: ${error instanceof Error ? error.message : String(error)}. Check the folder and the space on its disk.`,
      { cause: error },
    );
  }
}
