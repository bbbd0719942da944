/** Reading safetensors lazily: the header at once, each tensor's bytes when asked for. */
import { open, type FileHandle } from "node:fs/promises";
import { CheckpointError, type CheckpointReader, type HostTensor } from "@diptych/core";
import { convertStored } from "./convert.js";
import { MAX_HEADER_BYTES, parseHeader, type SafetensorsHeader } from "./header.js";

/**
 * Opens a file.
 *
 * @throws CheckpointError when it is missing, truncated or no safetensors file.
 */
export async function openSafetensors(path: string): Promise<CheckpointReader> {
  const file = await openFile(path);
  let header: SafetensorsHeader;
  try {
    header = await readHeader(path, file);
  } catch (error) {
    await file.close();
    throw error;
  }
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
      return convertStored(
        path,
        tensor,
        await readBytes(path, file, tensor.begin, tensor.end - tensor.begin),
      );
    },
    close: () => file.close(),
  });
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (cause) {
    throw new CheckpointError(
      `checkpoints/safetensors: ${path}: expected a readable file, got ${(cause as NodeJS.ErrnoException).code ?? "an error"}. Check the path.`,
      { cause },
    );
  }
}

async function readHeader(path: string, file: FileHandle): Promise<SafetensorsHeader> {
  const { size } = await file.stat();
  const damaged = (what: string): CheckpointError =>
    new CheckpointError(
      `checkpoints/safetensors: ${path}: expected a safetensors file, got ${what}. The file is truncated, damaged, or of another format.`,
    );
  if (size < 8) throw damaged(`${size} bytes`);
  const prefix = await readBytes(path, file, 0, 8);
  const length = Number(new DataView(prefix.buffer).getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES || 8 + length > size) {
    throw damaged(`a header of ${length} bytes in a file of ${size}`);
  }
  const json = Buffer.from((await readBytes(path, file, 8, length)).buffer).toString("utf8");
  return parseHeader(path, json, size);
}

/** Exactly `length` bytes at `position`, in a buffer of their own. */
async function readBytes(
  path: string,
  file: FileHandle,
  position: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(
      bytes,
      done,
      Math.min(length - done, 2 ** 30),
      position + done,
    );
    if (bytesRead === 0) {
      throw new CheckpointError(
        `checkpoints/safetensors: ${path}: expected ${length} bytes at ${position}, got ${done}. The file is truncated.`,
      );
    }
    done += bytesRead;
  }
  return bytes;
}
