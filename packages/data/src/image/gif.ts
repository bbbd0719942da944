/**
 * The first frame of a GIF as palette indices, as Pillow reads it. libvips gives RGBA in which transparent pixels have
 * lost the colour that their palette holds, and CLIP's preprocessing shows that colour.
 */
import { checkPixels, corrupt } from "./image-errors.js";

export interface GifFrame {
  readonly width: number;
  readonly height: number;
  /** One byte a pixel. */
  readonly indices: Uint8Array;
  /** RGB triples, 256 of them; those that the file lacks are black. */
  readonly palette: Uint8Array;
  /** Whether the palette is 0, 1, 2, … of grey: Pillow then takes the pixels for grey. */
  readonly grey: boolean;
  readonly transparent: number | undefined;
}

interface Reader {
  readonly bytes: Uint8Array;
  readonly name: string;
  at: number;
}

/** @throws DataError when the file is cut off or corrupt, or has more than `maxPixels`. */
export function decodeGif(bytes: Uint8Array, name: string, maxPixels: number): GifFrame {
  const reader: Reader = { bytes, name, at: 6 };
  let width = word(reader);
  let height = word(reader);
  const flags = byte(reader);
  reader.at += 2;
  const globalPalette = flags & 0x80 ? take(reader, 3 << ((flags & 7) + 1)) : undefined;
  const transparent = skipToImage(reader);
  const left = word(reader);
  const top = word(reader);
  const frame = { left, top, width: word(reader), height: word(reader) };
  const frameFlags = byte(reader);
  // A frame may reach beyond its screen.
  width = Math.max(width, left + frame.width);
  height = Math.max(height, top + frame.height);
  checkPixels({ width, height }, name, maxPixels);
  if (frame.width < 1 || frame.height < 1) throw corrupt(name, "an empty first frame");
  const used =
    frameFlags & 0x80
      ? take(reader, 3 << ((frameFlags & 7) + 1))
      : (globalPalette ?? new Uint8Array());
  const indices = new Uint8Array(width * height).fill(transparent ?? 0);
  const pixels = decodeLzw(reader, frame.width * frame.height);
  const rows = frameFlags & 0x40 ? interlacedRows(frame.height) : undefined;
  for (let y = 0; y < frame.height; y++) {
    const row = pixels.subarray(y * frame.width, (y + 1) * frame.width);
    indices.set(row, (top + (rows?.[y] ?? y)) * width + left);
  }
  const grey = used.every((value, i) => value === Math.floor(i / 3));
  const palette = new Uint8Array(768);
  palette.set(grey ? Uint8Array.from({ length: 768 }, (_, i) => Math.floor(i / 3)) : used);
  return { width, height, indices, palette, grey, transparent };
}

/** Passes over extensions to the first image; its transparent index, if it has one. */
function skipToImage(reader: Reader): number | undefined {
  let transparent: number | undefined;
  for (;;) {
    const block = byte(reader);
    if (block === 0x2c) return transparent;
    if (block === 0x3b) throw corrupt(reader.name, "no frame");
    if (block !== 0x21) continue;
    const isControl = byte(reader) === 0xf9;
    for (let first = true; ; first = false) {
      const size = byte(reader);
      if (size === 0) break;
      const content = take(reader, size);
      if (isControl && first && size >= 4) {
        if ((content[0] as number) & 1) transparent = content[3];
      }
    }
  }
}

/** Where each stored row belongs: every 8th, the 4th between, the 2nd, the rest. */
function interlacedRows(height: number): Int32Array {
  const rows = new Int32Array(height);
  let at = 0;
  for (const [start, step] of [
    [0, 8],
    [4, 8],
    [2, 4],
    [1, 2],
  ] as const) {
    for (let y = start; y < height; y += step) rows[at++] = y;
  }
  return rows;
}

const MOST_CODES = 4096;

/** `count` indices of variable-length codes (GIF89a, appendix F). */
function decodeLzw(reader: Reader, count: number): Uint8Array {
  const minimum = byte(reader);
  if (minimum < 1 || minimum > 11) throw corrupt(reader.name, `a code size of ${minimum}`);
  const nextByte = blockBytes(reader);
  const clear = 1 << minimum;
  // A code is the string of `prefix`, and one more index.
  const prefix = new Int16Array(MOST_CODES);
  const suffix = new Uint8Array(MOST_CODES);
  const lengths = new Uint16Array(MOST_CODES).fill(1, 0, clear);
  for (let code = 0; code < clear; code++) suffix[code] = code;
  const out = new Uint8Array(count);
  let [codes, bits, previous, at, held, heldBits] = [clear + 2, minimum + 1, -1, 0, 0, 0];
  while (at < count) {
    while (heldBits < bits) {
      held |= nextByte() << heldBits;
      heldBits += 8;
    }
    const code = held & ((1 << bits) - 1);
    held >>>= bits;
    heldBits -= bits;
    if (code === clear) {
      [codes, bits, previous] = [clear + 2, minimum + 1, -1];
      continue;
    }
    const isNew = code === codes && previous >= 0;
    if (code === clear + 1 || (code >= codes && !isNew)) {
      throw corrupt(reader.name, code === clear + 1 ? "too few pixels" : "an unknown code");
    }
    // A code that is not yet there is the previous string and its own first index.
    const known = isNew ? previous : code;
    const length = lengths[known] as number;
    let cursor = known;
    for (let i = at + length - 1; i >= at; i--) {
      if (i < count) out[i] = suffix[cursor] as number;
      cursor = prefix[cursor] as number;
    }
    const first = out[at] as number;
    at += length;
    if (isNew && at < count) out[at++] = first;
    else if (isNew) at++;
    if (previous >= 0 && codes < MOST_CODES) {
      prefix[codes] = previous;
      suffix[codes] = first;
      lengths[codes] = (lengths[previous] as number) + 1;
      codes += 1;
      if (codes === 1 << bits && bits < 12) bits += 1;
    }
    previous = code;
  }
  return out;
}

/** The bytes of the sub-blocks, one after the other. */
function blockBytes(reader: Reader): () => number {
  let left = 0;
  return () => {
    if (left === 0) {
      left = byte(reader);
      if (left === 0) throw corrupt(reader.name, "too few pixels");
    }
    left -= 1;
    return byte(reader);
  };
}

function byte(reader: Reader): number {
  const value = reader.bytes[reader.at++];
  if (value === undefined) throw corrupt(reader.name, "the file ends too early");
  return value;
}

function word(reader: Reader): number {
  const low = byte(reader);
  return low | (byte(reader) << 8);
}

function take(reader: Reader, count: number): Uint8Array {
  const end = reader.at + count;
  if (end > reader.bytes.length) throw corrupt(reader.name, "the file ends too early");
  const taken = reader.bytes.subarray(reader.at, end);
  reader.at = end;
  return taken;
}
