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
/** Queries scored between two turns of the event loop: some ten milliseconds. */
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
  const best = new Float32Array(Math.max(...labels, ...queries.map(({ label }) => label)) + 1);
  const query = new Float32Array(FEATURES);
  let first = 0;
  let firstFive = 0;
  for (const [i, { image, label }] of queries.entries()) {
    writeFeatures(image, query);
    scoreLabels(query, features, labels, best);
    const rank = rankOf(label, best);
    if (rank < 1) first += 1;
    if (rank < 5) firstFive += 1;
    if (i % BLOCK === BLOCK - 1) {
      signal?.throwIfAborted();
      await yieldToEvents();
    }
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

function scoreLabels(
  query: Float32Array,
  features: Float32Array,
  labels: Int32Array,
  best: Float32Array,
): void {
  best.fill(-Infinity);
  for (let g = 0; g < labels.length; g++) {
    const base = g * FEATURES;
    // Four sums, so that additions do not wait for each other.
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let k = 0; k < FEATURES; k += 4) {
      a += (query[k] ?? 0) * (features[base + k] ?? 0);
      b += (query[k + 1] ?? 0) * (features[base + k + 1] ?? 0);
      c += (query[k + 2] ?? 0) * (features[base + k + 2] ?? 0);
      d += (query[k + 3] ?? 0) * (features[base + k + 3] ?? 0);
    }
    const label = labels[g] ?? 0;
    const score = a + b + (c + d);
    if (score > (best[label] ?? 0)) best[label] = score;
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
