/** Bit-exact resizing as Pillow does it, in WebAssembly (resample.wat): two passes with bytes between them. */
import { DataError } from "@diptych/core";
import { alignBytes, loadPixelProgram, reserveMemory, type PixelProgram } from "./pixel-program.js";
import { createTaps, packTaps, type Interpolation, type Taps } from "./taps.js";

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A picture of interleaved bytes. */
export interface Bytes extends Size {
  readonly channels: 3 | 4;
  readonly data: Uint8Array;
}

/** The part of the resized picture that is wanted: `left` … `left + width` of `resizedWidth`, and so down. */
export interface Region {
  readonly resizedWidth: number;
  readonly resizedHeight: number;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface Resampler {
  /** @throws DataError when the passes would need more than 1 GiB. */
  resample(source: Bytes, region: Region, interpolation: Interpolation): Bytes;
}

/** Source bytes handed over at once: they should stay in the processor's cache. */
const BAND_BYTES = 1 << 18;

const MOST_BYTES = 2 ** 30;

/** Memory never shrinks: a program that grew beyond this serves one picture. */
const KEPT_BYTES = 1 << 26;

/** Tables of the last sizes: pictures of a data set often have few. */
const MOST_TABLES = 32;

/** What the passes read beyond the end of what they are given. */
const SLACK = 64;

interface Table {
  readonly packed: Uint8Array;
  readonly first: number;
  readonly end: number;
}

/** Resamples one picture after the other; each thread makes its own. */
export function createResampler(): Resampler {
  let program: PixelProgram | undefined;
  const tables = new Map<string, Table>();
  const table = (key: string, make: () => Table): Table => {
    const found = tables.get(key) ?? make();
    tables.delete(key);
    tables.set(key, found);
    if (tables.size > MOST_TABLES) tables.delete(tables.keys().next().value as string);
    return found;
  };
  return Object.freeze({
    resample(source, region, interpolation) {
      const { channels } = source;
      const { resizedWidth, resizedHeight, left, top, width, height } = region;
      const downFirst = isDownFirst(source, region);
      const stride = downFirst ? source.width * channels : paddedRow(width, channels);
      // At least this much: tables of what is refused anyway would take seconds.
      const rows = Math.max(height, (height * source.height) / resizedHeight);
      checkBytes(Math.floor(rows) * stride, source, region);
      const across = table(
        `across ${source.width} ${resizedWidth} ${left} ${width} ${channels} ${interpolation}`,
        () => {
          const end = left + width;
          const axis = { from: source.width, to: resizedWidth, begin: left, end, interpolation };
          return tableOf(createTaps(axis), (taps) =>
            packTaps(taps, { group: 4, step: channels, origin: 0 }),
          );
        },
      );
      const down = table(
        `down ${source.height} ${resizedHeight} ${top} ${height} ${stride} ${interpolation}`,
        () => {
          const end = top + height;
          const axis = { from: source.height, to: resizedHeight, begin: top, end, interpolation };
          return tableOf(createTaps(axis), (taps, origin) =>
            packTaps(taps, { group: 2, step: stride, origin }),
          );
        },
      );
      program ??= loadPixelProgram();
      try {
        return runPasses(program, { source, region, stride, across, down, downFirst });
      } finally {
        if (program.memory.buffer.byteLength > KEPT_BYTES) program = undefined;
      }
    },
  } satisfies Resampler);
}

/** The order that Pillow 13 takes (before, it was across first always); bytes between the passes make it matter. */
export function isDownFirst(source: Size, region: Region): boolean {
  const shorter = source.height - region.resizedHeight;
  return shorter > 0 && shorter > 2 * (source.width - region.resizedWidth);
}

function tableOf(taps: Taps, pack: (taps: Taps, origin: number) => Uint8Array): Table {
  const last = taps.first.length - 1;
  const first = taps.first[0] as number;
  const end = (taps.first[last] as number) + (taps.count[last] as number);
  return { packed: pack(taps, first), first, end };
}

interface Job {
  readonly source: Bytes;
  readonly region: Region;
  /** Bytes from row to row that the taps down were packed for. */
  readonly stride: number;
  readonly across: Table;
  readonly down: Table;
  readonly downFirst: boolean;
}

function runPasses(program: PixelProgram, job: Job): Bytes {
  const { source, region, across, down } = job;
  const { width, height } = region;
  const rowBytes = source.width * source.channels;
  const rows = down.end - down.first;
  const acrossAt = 0;
  const downAt = acrossAt + alignBytes(across.packed.length);
  const firstAt = downAt + alignBytes(down.packed.length);
  const start = { acrossAt, downAt, firstAt, rowBytes, rows };
  const out = job.downFirst
    ? passDownFirst(program, job, start)
    : passAcrossFirst(program, job, start);
  const memory = new Uint8Array(program.memory.buffer);
  const used = width * source.channels;
  const data = new Uint8Array(height * used);
  for (let y = 0; y < height; y++) {
    const from = out.at + y * out.stride;
    data.set(memory.subarray(from, from + used), y * used);
  }
  return { width, height, channels: source.channels, data };
}

/** Where things lie in the program's memory. */
interface Start {
  readonly acrossAt: number;
  readonly downAt: number;
  /** The first byte that is free. */
  readonly firstAt: number;
  readonly rowBytes: number;
  /** Source rows that are used. */
  readonly rows: number;
}

interface Out {
  readonly at: number;
  readonly stride: number;
}

function passAcrossFirst(program: PixelProgram, job: Job, start: Start): Out {
  const { source, region, stride, across, down } = job;
  const { rowBytes, rows, firstAt } = start;
  const bandRows = Math.min(rows, Math.max(1, Math.floor(BAND_BYTES / rowBytes)));
  // The vertical pass reads rows in pairs.
  const outAt = firstAt + (rows + 1) * stride + SLACK;
  const bandAt = outAt + region.height * stride + SLACK;
  const memory = reserve(program, bandAt + bandRows * rowBytes + SLACK, job);
  memory.set(across.packed, start.acrossAt);
  memory.set(down.packed, start.downAt);
  const horizontal = program.horizontal[source.channels];
  for (let row = 0; row < rows; row += bandRows) {
    const count = Math.min(bandRows, rows - row);
    const from = (down.first + row) * rowBytes;
    memory.set(source.data.subarray(from, from + count * rowBytes), bandAt);
    const target = firstAt + row * stride;
    horizontal(bandAt, target, count, rowBytes, stride, region.width, start.acrossAt);
  }
  program.vertical(firstAt, outAt, region.height, stride, start.downAt);
  return { at: outAt, stride };
}

function passDownFirst(program: PixelProgram, job: Job, start: Start): Out {
  const { source, region, across, down } = job;
  const { rowBytes, rows, firstAt } = start;
  const { width, height } = region;
  const betweenAt = firstAt + (rows + 1) * rowBytes + SLACK;
  const outAt = betweenAt + height * rowBytes + SLACK;
  const stride = paddedRow(width, source.channels);
  const memory = reserve(program, outAt + height * stride + SLACK, job);
  memory.set(across.packed, start.acrossAt);
  memory.set(down.packed, start.downAt);
  const from = down.first * rowBytes;
  memory.set(source.data.subarray(from, from + rows * rowBytes), firstAt);
  program.vertical(firstAt, betweenAt, height, rowBytes, start.downAt);
  const horizontal = program.horizontal[source.channels];
  horizontal(betweenAt, outAt, height, rowBytes, stride, width, start.acrossAt);
  return { at: outAt, stride };
}

function reserve(program: PixelProgram, bytes: number, { source, region }: Job): Uint8Array {
  checkBytes(bytes, source, region);
  return reserveMemory(program, bytes);
}

function checkBytes(bytes: number, source: Size, region: Region): void {
  if (bytes > MOST_BYTES) {
    throw new DataError(
      `data/resample: image: expected a picture that takes at most 1 GiB to resize, got ${source.width}×${source.height} pixels to be made ${region.resizedWidth}×${region.resizedHeight}. Crop it, or shrink it first.`,
    );
  }
}

/** Bytes of a row that the horizontal pass writes, with the room that it needs beyond. */
function paddedRow(width: number, channels: number): number {
  return alignBytes(width * channels + 1);
}
