/** A file of PyTorch's as a checkpoint: its state dict, values read when asked for. */
import { CheckpointError, type CheckpointReader, type HostTensor } from "@diptych/core";
import { openFileSource, type ByteSource } from "../bytes/byte-source.js";
import { STORED_BYTES } from "../bytes/element-types.js";
import { readStridedValues } from "../bytes/read-values.js";
import { findStateDict } from "./state-dict.js";
import { readTorchFile, type TorchFile } from "./torch-file.js";

export interface TorchReader extends CheckpointReader {
  readonly kind: TorchFile["kind"];
}

/** Opens a file. @throws CheckpointError when it is missing, damaged, of another format, or names what is not allowed. */
export async function openTorch(path: string): Promise<TorchReader> {
  const source = await openFileSource(path);
  try {
    return await readTorch(source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Reads from `source`, which the reader closes. @throws CheckpointError as readTorchFile and findStateDict do. */
export async function readTorch(source: ByteSource): Promise<TorchReader> {
  const { path } = source;
  const file = await readTorchFile(source);
  const { tensors, metadata } = findStateDict(path, file.value);
  return Object.freeze({
    path,
    kind: file.kind,
    entries: Object.freeze(
      [...tensors].map(([name, { shape, storage }]) =>
        Object.freeze({ name, shape, dtype: storage.dtype }),
      ),
    ),
    metadata: Object.freeze(metadata),
    read: async (name: string): Promise<HostTensor> => {
      const tensor = tensors.get(name);
      if (!tensor) {
        throw new CheckpointError(
          `checkpoints/torch: ${path}: expected a tensor "${name}", got none among its ${tensors.size}.`,
        );
      }
      const { storage, offset, shape, strides } = tensor;
      const begin = (await file.locate(storage)) + offset * STORED_BYTES[storage.dtype];
      return readStridedValues(source, { name, stored: storage.dtype, shape, strides, begin });
    },
    close: () => source.close(),
  });
}
