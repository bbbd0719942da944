// Zip archives for tests: small ones, whole or with a field that lies.
import { crc32, deflateRawSync } from "node:zlib";

export interface ZipFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly deflate?: boolean;
  /** Said of its size when unpacked, whatever it has. */
  readonly size?: number;
  /** Place that the directory says, whatever it is. */
  readonly headerAt?: number;
  readonly flags?: number;
  /** Puts sizes and place into a zip64 field. */
  readonly zip64?: boolean;
}

export function writeZip(files: readonly ZipFile[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const file of files) {
    const packed = file.deflate ? deflateRawSync(file.bytes) : Buffer.from(file.bytes);
    const name = Buffer.from(file.name);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    parts.push(local, name, packed);
    directory.push(
      directoryEntry(file, packed.length, at),
      name,
      zip64Field(file, packed.length, at),
    );
    at += local.length + name.length + packed.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, central, end]);
}

function directoryEntry(file: ZipFile, packed: number, at: number): Buffer {
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50, 0);
  entry.writeUInt16LE(file.flags ?? 0, 8);
  entry.writeUInt16LE(file.deflate ? 8 : 0, 10);
  entry.writeUInt32LE(crc32(file.bytes), 16);
  entry.writeUInt32LE(file.zip64 ? 0xffffffff : packed, 20);
  entry.writeUInt32LE(file.zip64 ? 0xffffffff : (file.size ?? file.bytes.length), 24);
  entry.writeUInt16LE(Buffer.byteLength(file.name), 28);
  entry.writeUInt16LE(file.zip64 ? 28 : 0, 30);
  entry.writeUInt32LE(file.zip64 ? 0xffffffff : (file.headerAt ?? at), 42);
  return entry;
}

function zip64Field(file: ZipFile, packed: number, at: number): Buffer {
  if (!file.zip64) return Buffer.alloc(0);
  const field = Buffer.alloc(28);
  field.writeUInt16LE(1, 0);
  field.writeUInt16LE(24, 2);
  field.writeBigUInt64LE(BigInt(file.size ?? file.bytes.length), 4);
  field.writeBigUInt64LE(BigInt(packed), 12);
  field.writeBigUInt64LE(BigInt(file.headerAt ?? at), 20);
  return field;
}
