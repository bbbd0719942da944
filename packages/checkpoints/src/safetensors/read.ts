/** Reading safetensors lazily: the header at once, each tensor's bytes when asked for. */
import { CheckpointError, type CheckpointReader, type HostTensor } from "@diptych/core";
import { openFileSource, readRange, type ByteSource } from "../bytes/byte-source.js";
import { readValues } from "../bytes/read-values.js";
import { MAX_HEADER_BYTES, parseHeader, type SafetensorsHeader } from "./header.js";

/**
 * Opens a file.
 *
 * @throws CheckpointError when it is missing, truncated or no safetensors file.
 */
export async function openSafetensors(path: string): Promise<CheckpointReader> {
  const source = await openFileSource(path);
  try {
    return await readSafetensors(source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** The same from bytes wherever they are; the reader closes `source`. */
export async function readSafetensors(source: ByteSource): Promise<CheckpointReader> {
  const { path } = source;
  const header = await readHeader(source);
  const byName = new Map(header.tensors.map((tensor) => [tensor.name, tensor]));
  return Object.freeze({
    path,
    entries: header.tensors,
    metadata: header.metadata,
    read: async (name: string): Promise<HostTensor> => {
      const tensor = byName.get(name);
      if (!tensor) {
        throw new CheckpointError(
          `checkpoints/safetensors: ${path}: expected a tensor "${name}", got none among its ${byName.size}.`,
        );
      }
      const { dtype: stored, shape, begin } = tensor;
      return readValues(source, { name, stored, shape, begin });
    },
    close: () => source.close(),
  });
}

async function readHeader(source: ByteSource): Promise<SafetensorsHeader> {
  const { path, size } = source;
  const damaged = (what: string): CheckpointError =>
    new CheckpointError(
      `checkpoints/safetensors: ${path}: expected a safetensors file, got ${what}. The file is truncated, damaged, or of another format.`,
    );
  if (size < 8) throw damaged(`${size} bytes`);
  const prefix = await readRange(source, 0, 8);
  const length = Number(new DataView(prefix.buffer).getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES || 8 + length > size) {
    throw damaged(`a header of ${length} bytes (at most ${MAX_HEADER_BYTES}) in a file of ${size}`);
  }
  const bytes = await readRange(source, 8, length);
  let json: string;
  try {
    json = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw damaged("a header that is no UTF-8");
  }
  return parseHeader(path, json, size);
}
