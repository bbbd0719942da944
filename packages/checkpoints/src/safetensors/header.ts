/** The header of a safetensors file: eight bytes of length, then JSON of names, dtypes, shapes and byte ranges. */
import { CheckpointError, elementCount, type TensorEntry } from "@diptych/core";
import { STORED_BYTES, type StoredDtype } from "../bytes/element-types.js";

/** Element types of the format, by the name that files use. */
export const SAFETENSORS_DTYPES = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  I64: "int64",
  I32: "int32",
  I16: "int16",
  I8: "int8",
  U8: "uint8",
  BOOL: "bool",
} as const satisfies Record<string, StoredDtype>;

export type SafetensorsDtype = keyof typeof SAFETENSORS_DTYPES;

/** One tensor of a file: `begin` and `end` count bytes from the start of the file. */
export interface StoredTensor extends TensorEntry {
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly tensors: readonly StoredTensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Largest header that is read: about 80,000 tensors. The reference implementation allows ten times as much, no model needs it. */
export const MAX_HEADER_BYTES = 10_000_000;

function isDtype(name: unknown): name is SafetensorsDtype {
  return typeof name === "string" && Object.hasOwn(SAFETENSORS_DTYPES, name);
}

/**
 * Checks a parsed header: known dtypes, sizes that agree with shapes, ranges inside the file, no overlap, no gap.
 *
 * @throws CheckpointError naming the file, the tensor and what is wrong with it.
 */
export function parseHeader(path: string, json: string, fileBytes: number): SafetensorsHeader {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (cause) {
    throw new CheckpointError(
      `checkpoints/safetensors: header of ${path}: expected JSON, got ${JSON.stringify(json.slice(0, 40))}. The file is damaged or no safetensors file.`,
      { cause },
    );
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new CheckpointError(`checkpoints/safetensors: header of ${path}: expected an object.`);
  }
  const start = 8 + Buffer.byteLength(json);
  const { __metadata__: metadata = {}, ...entries } = parsed as Record<string, unknown>;
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata)) {
    throw new CheckpointError(
      `checkpoints/safetensors: header of ${path}: expected an object under __metadata__. The file is damaged.`,
    );
  }
  const tensors = Object.entries(entries).map(([name, entry]) =>
    parseEntry(path, name, entry, start),
  );
  checkRanges(path, tensors, start, fileBytes);
  return Object.freeze({
    tensors: Object.freeze(tensors),
    metadata: Object.freeze({ ...(metadata as Record<string, string>) }),
  });
}

function parseEntry(path: string, name: string, entry: unknown, start: number): StoredTensor {
  const fail = (what: string): CheckpointError =>
    new CheckpointError(
      `checkpoints/safetensors: tensor "${name}" of ${path}: ${what}. The file is damaged.`,
    );
  if (typeof entry !== "object" || entry === null) throw fail("expected an object");
  const { dtype, shape, data_offsets: offsets } = entry as Record<string, unknown>;
  if (!isDtype(dtype)) {
    throw fail(
      `expected a dtype among ${Object.keys(SAFETENSORS_DTYPES).join(", ")}, got ${typeof dtype === "string" ? dtype : JSON.stringify(dtype)}`,
    );
  }
  const isSize = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;
  if (!Array.isArray(shape) || !shape.every(isSize)) throw fail("expected a shape of sizes");
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    throw fail("expected two offsets");
  }
  const [from, to] = offsets as [number, number];
  const stored = SAFETENSORS_DTYPES[dtype];
  const bytes = elementCount(shape) * STORED_BYTES[stored];
  if (to - from !== bytes)
    throw fail(`expected ${bytes} bytes for ${dtype} [${shape.join(", ")}], got ${to - from}`);
  return Object.freeze({
    name,
    dtype: stored,
    shape: Object.freeze([...shape]),
    begin: start + from,
    end: start + to,
  });
}

function checkRanges(
  path: string,
  tensors: readonly StoredTensor[],
  start: number,
  fileBytes: number,
): void {
  const end = tensors.reduce((most, tensor) => Math.max(most, tensor.end), start);
  if (end > fileBytes) {
    throw new CheckpointError(
      `checkpoints/safetensors: ${path}: expected ${end} bytes as its header says, got ${fileBytes}. The file is truncated: copy or download it again, or take an older checkpoint.`,
    );
  }
  let at = start;
  for (const tensor of [...tensors].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (tensor.begin !== at) {
      throw new CheckpointError(
        `checkpoints/safetensors: tensor "${tensor.name}" of ${path}: expected it at byte ${at}, got ${tensor.begin}. The file is damaged.`,
      );
    }
    at = tensor.end;
  }
}
