/** Element types of files: their size, and how their bits become float32, int32 or bool. */
import { CheckpointError, float16Value, type DType, type TensorEntry } from "@diptych/core";

export type StoredDtype = TensorEntry["dtype"];

export const STORED_BYTES: Readonly<Record<StoredDtype, number>> = Object.freeze({
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
});

/** What a stored type becomes on reading. */
export function readDtype(stored: StoredDtype): Extract<DType, "float32" | "int32" | "bool"> {
  if (stored === "bool") return "bool";
  return stored.startsWith("float") || stored === "bfloat16" ? "float32" : "int32";
}

/** Where the bytes of a block lie as they are read, and where its elements go. */
export interface Block {
  readonly bytes: ArrayBuffer;
  readonly target: Float32Array | Int32Array;
  readonly at: number;
  readonly count: number;
}

let halves: Float32Array | undefined;

/** Value of every half by its bits: a look-up is ten times as fast as arithmetic. */
function halfTable(): Float32Array {
  halves ??= Float32Array.from({ length: 65536 }, (_, bits) => float16Value(bits));
  return halves;
}

/** Element types that a block is converted from; float32, int32 and bool need no conversion. */
export type ConvertedDtype = Exclude<StoredDtype, "float32" | "int32" | "bool">;

export function isConverted(stored: StoredDtype): stored is ConvertedDtype {
  return stored !== "float32" && stored !== "int32" && stored !== "bool";
}

/** Writes `count` elements of `bytes` to `target` from `at`; `what` names them in errors. */
export function convertBlock(stored: ConvertedDtype, block: Block, what: string): void {
  const { bytes, target, at, count } = block;
  switch (stored) {
    case "float64":
      target.set(new Float64Array(bytes, 0, count), at);
      return;
    case "float16": {
      const table = halfTable();
      const bits = new Uint16Array(bytes, 0, count);
      for (let i = 0; i < count; i++) target[at + i] = table[bits[i]!]!;
      return;
    }
    case "bfloat16": {
      // The upper half of a float32's bits.
      const bits = new Uint16Array(bytes, 0, count);
      const wide = new Uint32Array(target.buffer, target.byteOffset, target.length);
      for (let i = 0; i < count; i++) wide[at + i] = bits[i]! << 16;
      return;
    }
    case "int64": {
      const wide = new BigInt64Array(bytes, 0, count);
      for (let i = 0; i < count; i++) target[at + i] = narrow(what, wide[i]!);
      return;
    }
    case "int16":
      target.set(new Int16Array(bytes, 0, count), at);
      return;
    case "int8":
      target.set(new Int8Array(bytes, 0, count), at);
      return;
    case "uint8":
      target.set(new Uint8Array(bytes, 0, count), at);
  }
}

function narrow(what: string, value: bigint): number {
  const number = Number(value);
  if (number === (number | 0)) return number;
  throw new CheckpointError(
    `checkpoints/read: ${what}: expected integers of 32 bits, got ${value}.`,
  );
}
