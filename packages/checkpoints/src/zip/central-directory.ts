/**
 * The directory of a zip archive (APPNOTE 4.3, with zip64): names, sizes and places of its entries. Entries that
 * overlap are refused, so that an archive cannot hold more than it has bytes for.
 */
import { CheckpointError } from "@diptych/core";
import { readRange, type ByteSource } from "../bytes/byte-source.js";

export interface ZipEntry {
  readonly name: string;
  readonly method: "stored" | "deflated";
  readonly crc: number;
  /** Bytes in the archive. */
  readonly packedSize: number;
  /** Bytes that it says it has when unpacked; equal to `packedSize` where it is stored. */
  readonly size: number;
  readonly headerAt: number;
  /** Where the next entry, or the directory, begins. */
  readonly end: number;
}

const END = 0x06054b50;
const END64 = 0x06064b50;
const END64_LOCATOR = 0x07064b50;
const ENTRY = 0x02014b50;
/** Bytes of a local header before name and extra field. */
export const LOCAL_HEADER_BYTES = 30;
const ENTRY_BYTES = 46;
// PyTorch writes about 100 bytes an entry, one entry a tensor: room for 100,000.
const MAX_DIRECTORY_BYTES = 10_000_000;
const NARROW = 0xffffffff;

interface Extent {
  readonly at: number;
  readonly bytes: number;
  readonly count: number;
}

/** @throws CheckpointError saying what is wrong with the archive. */
export async function readCentralDirectory(
  source: ByteSource,
): Promise<ReadonlyMap<string, ZipEntry>> {
  const { at, bytes, count } = await findDirectory(source);
  if (bytes > MAX_DIRECTORY_BYTES || count * ENTRY_BYTES > bytes) {
    throw damaged(source.path, `a directory of ${count} entries in ${bytes} bytes`);
  }
  const directory = view(await readRange(source, at, bytes));
  const found: Omit<ZipEntry, "end">[] = [];
  for (let position = 0, i = 0; i < count; i++) {
    const [entry, next] = parseEntry(source.path, directory, position);
    found.push(entry);
    position = next;
  }
  return withEnds(source.path, found, at);
}

async function findDirectory(source: ByteSource): Promise<Extent> {
  const { path, size } = source;
  const length = Math.min(size, 22 + 0xffff);
  const start = size - length;
  const tail = view(await readRange(source, start, length));
  for (let at = length - 22; at >= 0; at--) {
    // The comment's length must lead to the end of the file, or this only looks like the record.
    if (tail.getUint32(at, true) !== END || at + 22 + tail.getUint16(at + 20, true) !== length)
      continue;
    const count = tail.getUint16(at + 10, true);
    const bytes = tail.getUint32(at + 12, true);
    const offset = tail.getUint32(at + 16, true);
    if (count !== 0xffff && bytes !== NARROW && offset !== NARROW)
      return checkExtent(source, { at: offset, bytes, count }, start + at);
    return findDirectory64(source, start + at);
  }
  throw damaged(path, "no directory at its end");
}

async function findDirectory64(source: ByteSource, endAt: number): Promise<Extent> {
  const { path } = source;
  if (endAt < 20) throw damaged(path, "no zip64 record");
  const locator = view(await readRange(source, endAt - 20, 20));
  if (locator.getUint32(0, true) !== END64_LOCATOR) throw damaged(path, "no zip64 locator");
  const recordAt = wide(path, locator, 8);
  if (recordAt + 56 > endAt) throw damaged(path, "a zip64 record outside the file");
  const record = view(await readRange(source, recordAt, 56));
  if (record.getUint32(0, true) !== END64) throw damaged(path, "no zip64 record");
  const extent = {
    count: wide(path, record, 32),
    bytes: wide(path, record, 40),
    at: wide(path, record, 48),
  };
  return checkExtent(source, extent, recordAt);
}

function checkExtent({ path }: ByteSource, extent: Extent, endAt: number): Extent {
  if (extent.at + extent.bytes > endAt) {
    throw damaged(path, `a directory at ${extent.at} of ${extent.bytes} bytes, before ${endAt}`);
  }
  return extent;
}

function parseEntry(
  path: string,
  directory: DataView,
  at: number,
): [Omit<ZipEntry, "end">, next: number] {
  if (at + ENTRY_BYTES > directory.byteLength || directory.getUint32(at, true) !== ENTRY) {
    throw damaged(path, "a directory that is cut short");
  }
  const flags = directory.getUint16(at + 8, true);
  const method = directory.getUint16(at + 10, true);
  const nameBytes = directory.getUint16(at + 28, true);
  const extraBytes = directory.getUint16(at + 30, true);
  const next = at + ENTRY_BYTES + nameBytes + extraBytes + directory.getUint16(at + 32, true);
  if (next > directory.byteLength) throw damaged(path, "a directory that is cut short");
  const nameAt = directory.byteOffset + at + ENTRY_BYTES;
  const name = Buffer.from(directory.buffer, nameAt, nameBytes).toString("utf8");
  if (flags & 1) throw damaged(path, `"${name}", which is encrypted`);
  if (method !== 0 && method !== 8) throw damaged(path, `"${name}" packed by method ${method}`);
  const extra = { at: at + ENTRY_BYTES + nameBytes, bytes: extraBytes };
  const [size, packedSize, headerAt] = sizesOf(path, directory, { at, extra });
  if (method === 0 && size !== packedSize) {
    throw damaged(path, `"${name}" stored as ${packedSize} bytes and said to have ${size}`);
  }
  const crc = directory.getUint32(at + 16, true);
  const packing = method === 0 ? "stored" : "deflated";
  return [{ name, method: packing, crc, packedSize, size, headerAt }, next];
}

interface EntryPlace {
  readonly at: number;
  readonly extra: { readonly at: number; readonly bytes: number };
}

/** Size, packed size and place of an entry; those that need more than 32 bits stand in the zip64 extra field, in this order. */
function sizesOf(
  path: string,
  directory: DataView,
  { at, extra }: EntryPlace,
): [size: number, packedSize: number, headerAt: number] {
  const narrow = [24, 20, 42].map((offset) => directory.getUint32(at + offset, true));
  if (!narrow.includes(NARROW)) return narrow as [number, number, number];
  const end = extra.at + extra.bytes;
  for (let field = extra.at; field + 4 <= end;) {
    const id = directory.getUint16(field, true);
    const last = field + 4 + directory.getUint16(field + 2, true);
    if (id === 1 && last <= end) {
      let next = field + 4;
      return narrow.map((value) => {
        if (value !== NARROW) return value;
        next += 8;
        if (next > last) throw damaged(path, "a zip64 field that is cut short");
        return wide(path, directory, next - 8);
      }) as [number, number, number];
    }
    field = last;
  }
  throw damaged(path, "an entry without its zip64 field");
}

/** Where each entry must end: at the next one or at the directory. @throws CheckpointError where two overlap. */
function withEnds(
  path: string,
  entries: readonly Omit<ZipEntry, "end">[],
  directoryAt: number,
): ReadonlyMap<string, ZipEntry> {
  const sorted = [...entries].sort((a, b) => a.headerAt - b.headerAt);
  const byName = new Map<string, ZipEntry>();
  for (const [i, entry] of sorted.entries()) {
    const end = sorted[i + 1]?.headerAt ?? directoryAt;
    if (entry.headerAt + LOCAL_HEADER_BYTES + entry.packedSize > end) {
      throw damaged(path, `"${entry.name}", which overlaps what follows it`);
    }
    if (byName.has(entry.name)) throw damaged(path, `"${entry.name}" twice`);
    byName.set(entry.name, Object.freeze({ ...entry, end }));
  }
  return byName;
}

function view(bytes: Uint8Array<ArrayBuffer>): DataView<ArrayBuffer> {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function wide(path: string, bytes: DataView, at: number): number {
  const value = bytes.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged(path, `a size of ${value} bytes`);
  return Number(value);
}

/** An error about an archive. */
export function damaged(path: string, what: string): CheckpointError {
  return new CheckpointError(
    `checkpoints/zip: ${path}: expected a zip archive, got ${what}. The file is truncated, damaged, or of another format.`,
  );
}
