// A checkpoint format for tests: a folder with one JSON file, float32 values as their bits.
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  CheckpointError,
  createHostTensor,
  type WritableCheckpointFormat,
  type HostTensor,
} from "@diptych/core";

interface Stored {
  readonly tensors: Record<string, { shape: number[]; base64: string }>;
  readonly metadata: Record<string, unknown>;
}

const FILE = "state.json";

/** `beforeWrite` may throw, as a disk does. */
export function jsonFormat(
  beforeWrite: (path: string) => void = () => undefined,
): WritableCheckpointFormat {
  return {
    name: "json",
    detect: async (path) => (await stat(join(path, FILE)).catch(() => undefined)) !== undefined,
    open: async (path) => {
      let stored: Stored;
      try {
        stored = JSON.parse(await readFile(join(path, FILE), "utf8")) as Stored;
      } catch (cause) {
        throw new CheckpointError(`test/open: ${path}: expected JSON, got none.`, { cause });
      }
      return {
        path,
        metadata: stored.metadata,
        entries: Object.entries(stored.tensors).map(([name, { shape }]) => ({
          name,
          shape,
          dtype: "float32" as const,
        })),
        read: async (name) => decode(stored.tensors[name]!),
        close: async () => undefined,
      };
    },
    write: async (path, { tensors, metadata }) => {
      await mkdir(path, { recursive: true });
      const stored: Stored = {
        tensors: Object.fromEntries([...tensors].map(([name, value]) => [name, encode(value)])),
        metadata,
      };
      beforeWrite(path);
      await writeFile(join(path, FILE), JSON.stringify(stored));
    },
  };
}

function encode({ shape, data }: HostTensor): { shape: number[]; base64: string } {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return { shape: [...shape], base64: bytes.toString("base64") };
}

function decode({ shape, base64 }: { shape: number[]; base64: string }): HostTensor {
  const bytes = Uint8Array.from(Buffer.from(base64, "base64"));
  return createHostTensor("float32", shape, new Float32Array(bytes.buffer));
}
