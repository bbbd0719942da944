/**
 * The baseline that a model must beat: name a picture as its nearest neighbour in pixels is named. 16×16 RGB on white,
 * centred by the picture's own mean, cosine similarity; a name's score is that of its best picture.
 */
import { DataError, type Image } from "@diptych/core";
import { yieldToEvents } from "../../loader/yield-to-events.js";

/** A picture and the number of its name. */
export interface LabelledImage {
  readonly image: Image;
  readonly label: number;
}

export interface NeighbourResult {
  /** Share of queries whose name comes first, or among the first five. */
  readonly top1: number;
  readonly top5: number;
  readonly queries: number;
  /** Pictures searched. */
  readonly gallery: number;
}

const GRID = 16;
const FEATURES = GRID * GRID * 3;
/** Queries scored together, so that a gallery picture is read once for all; then events have their turn. */
const BLOCK = 4;

/**
 * Scores each query against all of `gallery`. A tie is won by the wrong name.
 *
 * @throws DataError when either is empty, or a picture's sides are no multiples of 16.
 */
export async function pixelNearestNeighbour(
  queries: readonly LabelledImage[],
  gallery: readonly LabelledImage[],
  signal?: AbortSignal,
): Promise<NeighbourResult> {
  if (queries.length === 0 || gallery.length === 0) {
    throw new DataError(
      `data/pixelNearestNeighbour: pictures: expected at least one query and one to search, got ${queries.length} and ${gallery.length}.`,
    );
  }
  const features = new Float32Array(gallery.length * FEATURES);
  gallery.forEach(({ image }, i) => {
    writeFeatures(image, features.subarray(i * FEATURES, (i + 1) * FEATURES));
  });
  const labels = Int32Array.from(gallery, ({ label }) => label);
  const names = Math.max(...labels, ...queries.map(({ label }) => label)) + 1;
  const best = new Float32Array(BLOCK * names);
  const block = new Float32Array(BLOCK * FEATURES);
  let first = 0;
  let firstFive = 0;
  for (let start = 0; start < queries.length; start += BLOCK) {
    const together = queries.slice(start, start + BLOCK);
    together.forEach(({ image }, i) => {
      writeFeatures(image, block.subarray(i * FEATURES, (i + 1) * FEATURES));
    });
    scoreNames(block, { features, labels }, best);
    for (const [i, { label }] of together.entries()) {
      const rank = rankOf(label, best.subarray(i * names, (i + 1) * names));
      if (rank < 1) first += 1;
      if (rank < 5) firstFive += 1;
    }
    signal?.throwIfAborted();
    await yieldToEvents();
  }
  return Object.freeze({
    top1: first / queries.length,
    top5: firstFive / queries.length,
    queries: queries.length,
    gallery: gallery.length,
  });
}

/** Names that score at least as much as `label`. */
function rankOf(label: number, best: Float32Array): number {
  const own = best[label] ?? -Infinity;
  let rank = 0;
  for (let i = 0; i < best.length; i++) if (i !== label && (best[i] ?? 0) >= own) rank += 1;
  return own === -Infinity ? best.length : rank;
}

/** The best score of each name for each query of a block: `best` is [BLOCK, names]. */
function scoreNames(
  block: Float32Array,
  gallery: { readonly features: Float32Array; readonly labels: Int32Array },
  best: Float32Array,
): void {
  const { features, labels } = gallery;
  const names = best.length / BLOCK;
  best.fill(-Infinity);
  for (let g = 0; g < labels.length; g++) {
    const base = g * FEATURES;
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let k = 0; k < FEATURES; k++) {
      const value = features[base + k] as number;
      a += value * (block[k] as number);
      b += value * (block[k + FEATURES] as number);
      c += value * (block[k + 2 * FEATURES] as number);
      d += value * (block[k + 3 * FEATURES] as number);
    }
    const label = labels[g] as number;
    if (a > (best[label] as number)) best[label] = a;
    if (b > (best[label + names] as number)) best[label + names] = b;
    if (c > (best[label + 2 * names] as number)) best[label + 2 * names] = c;
    if (d > (best[label + 3 * names] as number)) best[label + 3 * names] = d;
  }
}

/** Block means on white, minus their mean, of length 1 (all zero for a picture of one colour). */
function writeFeatures(image: Image, out: Float32Array): void {
  const { width, height, channels, data } = image;
  const stepX = width / GRID;
  const stepY = height / GRID;
  if (!Number.isInteger(stepX) || !Number.isInteger(stepY)) {
    throw new DataError(
      `data/pixelNearestNeighbour: image: expected sides that are multiples of ${GRID}, got ${width}×${height}. Resize first.`,
    );
  }
  out.fill(0);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * channels;
      const at = (Math.floor(y / stepY) * GRID + Math.floor(x / stepX)) * 3;
      const alpha = channels === 4 ? (data[from + 3] ?? 0) / 255 : 1;
      for (let c = 0; c < 3; c++) {
        const value = data[from + (channels === 1 ? 0 : c)] ?? 0;
        out[at + c] = (out[at + c] ?? 0) + value * alpha + 255 * (1 - alpha);
      }
    }
  }
  centreAndScale(out);
}

function centreAndScale(values: Float32Array): void {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    const centred = (values[i] ?? 0) - mean;
    values[i] = centred;
    squares += centred * centred;
  }
  const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
  for (let i = 0; i < values.length; i++) values[i] = (values[i] ?? 0) * scale;
}
