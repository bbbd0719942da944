/**
 * Position embeddings for another resolution, as open_clip resizes them (model.py, resize_pos_embed and
 * resize_text_pos_embed): a grid by antialiased bicubic interpolation, with its prefix token kept; a sequence linearly.
 * On the host, once, in float64.
 */
import { CheckpointError, createHostTensor, type HostTensor } from "@diptych/core";

type Grid = readonly [height: number, width: number];

/** Weights of the inputs `first…` for one output. */
interface Taps {
  readonly first: number;
  readonly weights: readonly number[];
}

/** Keys' cubic with a = −0.5, which PyTorch takes where it antialiases (as Pillow does; −0.75 otherwise). */
function cubic(distance: number): number {
  const x = Math.abs(distance);
  const a = -0.5;
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

/** Antialiased cubic taps (F.interpolate, antialias=True, align_corners=False): the kernel widens as sizes shrink, and is renormalised at borders. */
function cubicTaps(from: number, to: number): readonly Taps[] {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  return Array.from({ length: to }, (_, i) => {
    const center = scale * (i + 0.5);
    const first = Math.max(Math.trunc(center - 2 * stretch + 0.5), 0);
    const end = Math.min(Math.trunc(center + 2 * stretch + 0.5), from);
    const raw = Array.from({ length: end - first }, (__, j) =>
      cubic((first + j - center + 0.5) / stretch),
    );
    const total = raw.reduce((sum, weight) => sum + weight, 0);
    return { first, weights: raw.map((weight) => weight / total) };
  });
}

/** Linear taps (F.interpolate, align_corners=False): not antialiased. */
function linearTaps(from: number, to: number): readonly Taps[] {
  return Array.from({ length: to }, (_, i) => {
    const at = Math.min(Math.max((from / to) * (i + 0.5) - 0.5, 0), from - 1);
    const first = Math.min(Math.floor(at), Math.max(from - 2, 0));
    return { first, weights: from === 1 ? [1] : [1 - (at - first), at - first] };
  });
}

/** Applies taps along the middle axis of [outer, from, inner]. */
function interpolate(
  values: Float64Array,
  taps: readonly Taps[],
  { outer, from, inner }: { readonly outer: number; readonly from: number; readonly inner: number },
): Float64Array {
  const result = new Float64Array(outer * taps.length * inner);
  for (let o = 0; o < outer; o++) {
    for (const [i, { first, weights }] of taps.entries()) {
      const target = (o * taps.length + i) * inner;
      for (const [j, weight] of weights.entries()) {
        const source = (o * from + first + j) * inner;
        for (let c = 0; c < inner; c++) result[target + c]! += weight * values[source + c]!;
      }
    }
  }
  return result;
}

/** A table [prefix + height·width, width] for another grid; the prefix rows stay. */
export function resizeGridPositions(
  table: HostTensor<"float32">,
  { prefix, from, to }: { readonly prefix: number; readonly from: Grid; readonly to: Grid },
): HostTensor<"float32"> {
  const width = table.shape[1] ?? 0;
  const kept = table.data.subarray(0, prefix * width);
  const grid = Float64Array.from(table.data.subarray(prefix * width));
  const wide = interpolate(grid, cubicTaps(from[1], to[1]), {
    outer: from[0],
    from: from[1],
    inner: width,
  });
  const high = interpolate(wide, cubicTaps(from[0], to[0]), {
    outer: 1,
    from: from[0],
    inner: to[1] * width,
  });
  const data = new Float32Array((prefix + to[0] * to[1]) * width);
  data.set(kept);
  data.set(high, prefix * width);
  return createHostTensor("float32", [prefix + to[0] * to[1], width], data);
}

/** A table [tokens, width] for another number of tokens. */
export function resizeSequencePositions(
  table: HostTensor<"float32">,
  tokens: number,
): HostTensor<"float32"> {
  const [from = 0, width = 0] = table.shape;
  const shape = { outer: 1, from, inner: width };
  const data = interpolate(Float64Array.from(table.data), linearTaps(from, tokens), shape);
  return createHostTensor("float32", [tokens, width], Float32Array.from(data));
}

/** Whether a parameter is a table of positions that can be resized from one shape to the other. */
export function canResizePositions(
  name: string,
  from: readonly number[],
  to: readonly number[],
): boolean {
  const isTable = /(^|\.)positional_embedding$/.test(name);
  return isTable && from.length === 2 && to.length === 2 && from[1] === to[1] && from[0] !== 0;
}

export interface ResizeTarget {
  readonly name: string;
  readonly shape: readonly number[];
  /** Grid of the model's patches where it is not square. */
  readonly imageGrid?: Grid;
}

/**
 * The table `name` at the size of the model's: `visual.` ones are grids with one prefix token (class token, or the mean
 * of attention pooling), others sequences.
 *
 * @throws CheckpointError where the rows make no grid.
 */
export function resizePositions(
  table: HostTensor<"float32">,
  { name, shape, imageGrid }: ResizeTarget,
): HostTensor<"float32"> {
  const [rows = 0] = shape;
  if (!name.startsWith("visual.")) return resizeSequencePositions(table, rows);
  const from = squareOf(name, (table.shape[0] ?? 0) - 1);
  const to = imageGrid ?? squareOf(name, rows - 1);
  if (to[0] * to[1] !== rows - 1) {
    throw new CheckpointError(
      `checkpoints/resizePositions: "${name}": expected a grid of ${rows - 1} patches, got ${to.join("×")}.`,
    );
  }
  return resizeGridPositions(table, { prefix: 1, from, to });
}

function squareOf(name: string, patches: number): Grid {
  const side = Math.round(Math.sqrt(patches));
  if (side > 0 && side ** 2 === patches) return [side, side];
  throw new CheckpointError(
    `checkpoints/resizePositions: "${name}": expected one prefix token and a square grid, got ${patches} patches. Give the model's grid as imageGrid.`,
  );
}
