/** Checkpoint format: one safetensors file; metadata is JSON under the key `diptych`. */
import { readFile, stat } from "node:fs/promises";
import {
  CheckpointError,
  type WritableCheckpointFormat,
  type CheckpointReader,
} from "@diptych/core";
import { openSafetensors } from "../safetensors/read.js";
import { writeSafetensors } from "../safetensors/write.js";

const METADATA_KEY = "diptych";

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
  detect: async (path: string) => path.endsWith(".safetensors") && (await isFile(path)),
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

/** JSON of a file. @throws CheckpointError naming it when it is missing or damaged. */
export async function readJson(path: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new CheckpointError(
      `checkpoints/read: ${path}: expected a readable file, got ${(cause as NodeJS.ErrnoException).code ?? "an error"}. Check the path.`,
      { cause },
    );
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
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
