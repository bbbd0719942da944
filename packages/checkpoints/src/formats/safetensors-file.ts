/** Checkpoint format: one safetensors file; metadata is JSON under the key `diptych`. */
import { readFile, stat } from "node:fs/promises";
import {
  CheckpointError,
  type WritableCheckpointFormat,
  type CheckpointReader,
} from "@diptych/core";
import { openFileSource, readRange } from "../bytes/byte-source.js";
import { openSafetensors } from "../safetensors/read.js";
import { writeSafetensors } from "../safetensors/write.js";

const METADATA_KEY = "diptych";

/** Whether a file begins as safetensors do: the length of a header, then an object. Files of a cache have no extension. */
async function looksLikeSafetensors(path: string): Promise<boolean> {
  const source = await openFileSource(path);
  try {
    const start = await readRange(source, 0, Math.min(9, source.size));
    return (
      start.length === 9 && start[8] === 0x7b && start.subarray(4, 8).every((byte) => byte === 0)
    );
  } finally {
    await source.close();
  }
}

/** The reader with our metadata decoded from its text. @throws CheckpointError when that text is no JSON. */
function decodeMetadata(reader: CheckpointReader): CheckpointReader {
  const { [METADATA_KEY]: text, ...rest } = reader.metadata;
  if (typeof text !== "string") return reader;
  try {
    return Object.freeze({ ...reader, metadata: { ...rest, ...(JSON.parse(text) as object) } });
  } catch (cause) {
    throw new CheckpointError(
      `checkpoints/safetensors: metadata of ${reader.path}: expected JSON under "${METADATA_KEY}". The file is damaged.`,
      { cause },
    );
  }
}

function encodeMetadata(metadata: Readonly<Record<string, unknown>>): Record<string, string> {
  return { format: "pt", [METADATA_KEY]: JSON.stringify(metadata) };
}

export const safetensorsFile: WritableCheckpointFormat = Object.freeze({
  name: "safetensors",
  detect: async (path: string) =>
    (await isFile(path)) && (path.endsWith(".safetensors") || (await looksLikeSafetensors(path))),
  open: async (path: string) => decodeMetadata(await openSafetensors(path)),
  write: (path, { tensors, metadata }) =>
    writeSafetensors(path, tensors, { metadata: encodeMetadata(metadata) }),
} satisfies WritableCheckpointFormat);

export async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

// Far more than any configuration or index, and little enough to be parsed at once.
const MAX_JSON_BYTES = 16_000_000;

/** JSON of a file. @throws CheckpointError naming it when it is missing or damaged. */
export async function readJson(path: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > MAX_JSON_BYTES)
      throw Object.assign(new Error("too large"), {
        code: `${size} bytes, more than ${MAX_JSON_BYTES}`,
      });
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new CheckpointError(
      `checkpoints/read: ${path}: expected a readable file, got ${(cause as NodeJS.ErrnoException).code ?? "an error"}. Check the path.`,
      { cause },
    );
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch (cause) {
    throw new CheckpointError(
      `checkpoints/read: ${path}: expected JSON, got ${JSON.stringify(text.slice(0, 40))}. The file is damaged.`,
      { cause },
    );
  }
  throw new CheckpointError(
    `checkpoints/read: ${path}: expected a JSON object, got ${text.slice(0, 40)}.`,
  );
}
