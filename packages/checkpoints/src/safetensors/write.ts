/** Writing safetensors: header, then tensors one after another, into a file beside that is renamed at the end. */
import { hostBytes, type DType, type HostTensor } from "@diptych/core";
import { writeFileAtomically } from "../atomic-write.js";
import type { SafetensorsDtype } from "./header.js";

const STORED: Readonly<Record<DType, SafetensorsDtype>> = {
  float32: "F32",
  float16: "F16",
  bfloat16: "BF16",
  int32: "I32",
  bool: "BOOL",
};

export interface WriteOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  /** Names that are written as int64, as PyTorch stores counters. */
  readonly asInt64?: (name: string) => boolean;
}

/** Entries sorted by size of element then name, as the reference implementation does, so that data stays aligned. */
function layout(
  tensors: Iterable<readonly [string, HostTensor]>,
  asInt64: (name: string) => boolean,
): { name: string; stored: SafetensorsDtype; shape: readonly number[]; bytes: Uint8Array }[] {
  const entries = [...tensors].map(([name, tensor]) => {
    if (!asInt64(name))
      return { name, stored: STORED[tensor.dtype], shape: tensor.shape, bytes: hostBytes(tensor) };
    const wide = BigInt64Array.from(tensor.data, (value) => BigInt(Math.round(value)));
    return {
      name,
      stored: "I64" as const,
      shape: tensor.shape,
      bytes: new Uint8Array(wide.buffer),
    };
  });
  const rank: Partial<Record<SafetensorsDtype, number>> = {
    I64: 0,
    F32: 1,
    I32: 1,
    F16: 2,
    BF16: 2,
    BOOL: 3,
  };
  return entries.sort(
    (a, b) =>
      (rank[a.stored] ?? 9) - (rank[b.stored] ?? 9) ||
      (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
}

/** Writes a file; a crash or a full disk leaves what was there before. @throws CheckpointError on a failed write. */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<readonly [string, HostTensor]>,
  { metadata, asInt64 = () => false }: WriteOptions = {},
): Promise<void> {
  const entries = layout(tensors, asInt64);
  const header: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  let offset = 0;
  for (const { name, stored, shape, bytes } of entries) {
    header[name] = { dtype: stored, shape, data_offsets: [offset, offset + bytes.byteLength] };
    offset += bytes.byteLength;
  }
  let json = JSON.stringify(header);
  // Padded with spaces so that the data starts at a multiple of eight.
  json += " ".repeat((8 - (Buffer.byteLength(json) % 8)) % 8);
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(Buffer.byteLength(json)));
  await writeFileAtomically(path, [
    prefix,
    Buffer.from(json),
    ...entries.map((entry) => entry.bytes),
  ]);
}
