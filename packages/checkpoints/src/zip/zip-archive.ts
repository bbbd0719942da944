/** Entries of a zip archive: where the bytes of a stored one lie in the file, and small ones whole, inflated within a limit. */
import { promisify } from "node:util";
import { crc32, inflateRaw } from "node:zlib";
import { CheckpointError } from "@diptych/core";
import { readRange, type ByteSource } from "../bytes/byte-source.js";
import {
  damaged,
  LOCAL_HEADER_BYTES,
  readCentralDirectory,
  type ZipEntry,
} from "./central-directory.js";

export interface ZipArchive {
  readonly source: ByteSource;
  readonly entries: ReadonlyMap<string, ZipEntry>;
}

const LOCAL = 0x04034b50;
const inflate = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(inflateRaw);

/** @throws CheckpointError where the directory is damaged. */
export async function openZip(source: ByteSource): Promise<ZipArchive> {
  return Object.freeze({ source, entries: await readCentralDirectory(source) });
}

/** The first byte of an entry's data. @throws CheckpointError where its header is damaged or its data goes beyond the entry. */
export async function locateEntry({ source }: ZipArchive, entry: ZipEntry): Promise<number> {
  const header = Buffer.from((await readRange(source, entry.headerAt, LOCAL_HEADER_BYTES)).buffer);
  if (header.readUInt32LE(0) !== LOCAL) {
    throw damaged(source.path, `no header of "${entry.name}" at ${entry.headerAt}`);
  }
  const begin =
    entry.headerAt + LOCAL_HEADER_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (begin + entry.packedSize > entry.end) {
    throw damaged(source.path, `"${entry.name}", which overlaps what follows it`);
  }
  return begin;
}

/** The bytes of an entry of at most `limit`. @throws CheckpointError where it is larger (also if only when inflated), or damaged. */
export async function readEntry(
  archive: ZipArchive,
  entry: ZipEntry,
  limit: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { path } = archive.source;
  if (Math.max(entry.size, entry.packedSize) > limit) {
    throw damaged(path, `"${entry.name}" of ${entry.size} bytes, more than ${limit}`);
  }
  const begin = await locateEntry(archive, entry);
  const packed = await readRange(archive.source, begin, entry.packedSize);
  const bytes = entry.method === "stored" ? packed : await unpack(path, entry, packed);
  if (crc32(bytes) !== entry.crc) {
    throw damaged(path, `"${entry.name}" with another checksum than its directory says`);
  }
  return bytes;
}

async function unpack(
  path: string,
  entry: ZipEntry,
  packed: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  let bytes: Uint8Array;
  try {
    // Stops at the size that the directory says, whatever the data would become.
    bytes = await inflate(packed, { maxOutputLength: Math.max(1, entry.size) });
  } catch (cause) {
    throw new CheckpointError(
      `checkpoints/zip: ${path}: expected "${entry.name}" to inflate to ${entry.size} bytes, got ${(cause as Error).message}. The file is damaged or a zip bomb.`,
      { cause },
    );
  }
  if (bytes.length !== entry.size) {
    throw damaged(path, `"${entry.name}" of ${bytes.length} bytes and not ${entry.size}`);
  }
  return new Uint8Array(bytes);
}
