/** Files of embeddings: NumPy's .npy and safetensors, written row by row. */
import { open, type FileHandle } from "node:fs/promises";

export type InputKind = "image" | "text";

export interface EmbeddingChunk {
  readonly inputs: readonly string[];
  /** [inputs, width], row after row. */
  readonly rows: Float32Array;
}

/** Rows in the order of their inputs; read once or more, never all in memory. */
export interface EmbeddingTable {
  readonly kind: InputKind;
  readonly count: number;
  readonly width: number;
  chunks(): AsyncIterable<EmbeddingChunk>;
}

export interface EmbeddingFormat {
  /** Whether the file holds the inputs too; else they go to `<file>.inputs.txt`, a line each. */
  readonly holdsInputs: boolean;
  write(path: string, table: EmbeddingTable): Promise<void>;
}

/** float32 [n, width], format version 1.0 (numpy/lib/format.py). */
export const npyFormat: EmbeddingFormat = Object.freeze({
  holdsInputs: false,
  write: async (path: string, table: EmbeddingTable) => {
    const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': (${table.count}, ${table.width}), }`;
    // Magic, version and length take 10 bytes; all is padded with spaces to a multiple of 64 and ends a line.
    const length = Math.ceil((10 + dictionary.length + 1) / 64) * 64 - 10;
    const header = Buffer.alloc(10 + length, " ");
    header.write("\x93NUMPY\x01\x00", 0, "latin1");
    header.writeUInt16LE(length, 8);
    header.write(dictionary, 10, "latin1");
    header.write("\n", 10 + length - 1, "latin1");
    await writeRows(path, header, table);
  },
});

/** One tensor, `embeddings` float32 [n, width]. */
export const safetensorsFormat: EmbeddingFormat = Object.freeze({
  holdsInputs: false,
  write: async (path: string, table: EmbeddingTable) => {
    const bytes = table.count * table.width * Float32Array.BYTES_PER_ELEMENT;
    const entry = { dtype: "F32", shape: [table.count, table.width], data_offsets: [0, bytes] };
    const json = JSON.stringify({ __metadata__: { inputs: table.kind }, embeddings: entry });
    const padded = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(padded.length));
    await writeRows(path, Buffer.concat([length, padded]), table);
  },
});

async function writeRows(path: string, header: Buffer, table: EmbeddingTable): Promise<void> {
  await writeFlushed(path, async (file) => {
    await file.writeFile(header);
    for await (const { rows } of table.chunks()) {
      await file.writeFile(new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength));
    }
  });
}

/** The inputs, a line each. */
export async function writeInputLines(path: string, table: EmbeddingTable): Promise<void> {
  await writeFlushed(path, async (file) => {
    for await (const { inputs } of table.chunks()) {
      await file.writeFile(inputs.map((input) => `${input}\n`).join(""));
    }
  });
}

async function writeFlushed(
  path: string,
  fill: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const file = await open(path, "w");
  try {
    await fill(file);
    await file.sync();
  } finally {
    await file.close();
  }
}
