/** Pillow's resizes of what is not interpolated in fixed point: palettes by nearest neighbour, 16-bit grey in float64. */
import type { Bytes, Region, Size } from "./resampler.js";
import { isDownFirst } from "./resampler.js";
import { createTaps, type Interpolation } from "./taps.js";

/** Nearest neighbour (ImagingScaleAffine): positions are summed up in float64, pixel by pixel. */
export function resizeNearest(source: Bytes, region: Region): Bytes {
  const { channels } = source;
  const { width, height, left, top } = region;
  const columns = nearest(source.width, region.resizedWidth, left + width);
  const rows = nearest(source.height, region.resizedHeight, top + height);
  const data = new Uint8Array(width * height * channels);
  let at = 0;
  for (let y = 0; y < height; y++) {
    const row = (rows[top + y] as number) * source.width;
    for (let x = 0; x < width; x++, at += channels) {
      const from = (row + (columns[left + x] as number)) * channels;
      for (let c = 0; c < channels; c++) data[at + c] = source.data[from + c] as number;
    }
  }
  return { width, height, channels, data };
}

function nearest(from: number, to: number, count: number): Int32Array {
  const scale = from / to;
  const positions = new Int32Array(count);
  let position = scale * 0.5;
  for (let i = 0; i < count; i++, position += scale) {
    positions[i] = Math.min(from - 1, Math.trunc(position));
  }
  return positions;
}

/** Mode I;16: sums in float64, rounded to 16 bits after each pass as Pillow rounds them. */
export function resizeDeep(
  source: Size & { readonly data: Uint16Array },
  region: Region,
  interpolation: Interpolation,
): Uint16Array {
  const across = (data: Uint16Array, rows: number): Uint16Array =>
    resampleLines(data, {
      ...axis(source.width, region.resizedWidth, region.left, region.width),
      interpolation,
      lines: rows,
      lineStep: source.width,
      outLineStep: region.width,
      step: 1,
      outStep: 1,
    });
  const down = (data: Uint16Array, columns: number): Uint16Array =>
    resampleLines(data, {
      ...axis(source.height, region.resizedHeight, region.top, region.height),
      interpolation,
      lines: columns,
      lineStep: 1,
      outLineStep: 1,
      step: columns,
      outStep: columns,
    });
  return isDownFirst(source, region)
    ? across(down(source.data, source.width), region.height)
    : down(across(source.data, source.height), region.width);
}

interface Lines {
  readonly from: number;
  readonly to: number;
  readonly begin: number;
  readonly end: number;
  readonly interpolation: Interpolation;
  readonly lines: number;
  readonly lineStep: number;
  readonly outLineStep: number;
  readonly step: number;
  readonly outStep: number;
}

function axis(
  from: number,
  to: number,
  begin: number,
  count: number,
): Pick<Lines, "from" | "to" | "begin" | "end"> {
  return { from, to, begin, end: begin + count };
}

function resampleLines(data: Uint16Array, lines: Lines): Uint16Array {
  const { first, count, weights, width } = createTaps(lines);
  const out = new Uint16Array(lines.lines * first.length);
  for (let line = 0; line < lines.lines; line++) {
    for (let i = 0; i < first.length; i++) {
      let at = line * lines.lineStep + (first[i] as number) * lines.step;
      let sum = 0;
      for (let k = 0; k < (count[i] as number); k++, at += lines.step) {
        sum += (data[at] as number) * (weights[i * width + k] as number);
      }
      out[line * lines.outLineStep + i * lines.outStep] = deepValue(sum);
    }
  }
  return out;
}

/** Rounds half away from 0, and stores the two bytes each cut to 0–255 (a value below 0 or above 65,535 is not cut as a whole). */
function deepValue(sum: number): number {
  const value = Math.trunc(sum >= 0 ? sum + 0.5 : sum - 0.5);
  // C's remainder has the sign of the dividend, as JavaScript's.
  const low = Math.min(255, Math.max(0, value % 256));
  const high = Math.min(255, Math.max(0, value >> 8));
  return high * 256 + low;
}
