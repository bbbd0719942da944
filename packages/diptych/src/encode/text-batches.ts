/**
 * Which texts run together: sorted by length inside a window, so that a batch is as short as its longest text while the
 * window bounds what waits. What follows a text's end changes nothing (causal attention or a mask), so cutting it off is exact.
 */
import { createHostTensor, isSymbolic, type Encoder, type HostTensor } from "@diptych/core";

/** Ids of texts: [batch, contextLength], padded; `lengths` up to and with the end of each. */
export interface Tokens {
  readonly ids: Int32Array;
  readonly lengths: Int32Array;
  readonly batch: number;
  readonly contextLength: number;
}

/** Batches of a window, which are sorted among each other. */
export const WINDOW_BATCHES = 32;
/** Lengths are rounded up to this, so that a runtime sees few different shapes. */
const LENGTH_STEP = 4;

/** Positions of a window's texts by batch, the longest first: the largest memory is asked for at the start. */
export function planTextBatches(
  lengths: Int32Array,
  batchSize: number,
): readonly (readonly number[])[] {
  const order = Array.from(lengths, (_, i) => i).sort(
    (a, b) => (lengths[b] ?? 0) - (lengths[a] ?? 0) || a - b,
  );
  return Array.from({ length: Math.ceil(order.length / batchSize) }, (_, i) =>
    order.slice(i * batchSize, (i + 1) * batchSize),
  );
}

/** Ids of the texts at `places`, cut to the longest of them, up to a multiple of `step`, where the tower takes any length. */
export function tokenRows(
  encoder: Encoder,
  { ids, lengths, contextLength }: Tokens,
  places: readonly number[],
  { step = LENGTH_STEP }: { readonly step?: number } = {},
): HostTensor<"int32"> {
  const tokens = encoder.inputs[0]?.shape[1];
  const longest = places.reduce((most, place) => Math.max(most, lengths[place] ?? 0), 1);
  const width =
    tokens !== undefined && isSymbolic(tokens)
      ? Math.min(contextLength, Math.ceil(longest / step) * step)
      : contextLength;
  const rows = new Int32Array(places.length * width);
  places.forEach((place, row) => {
    const from = place * contextLength;
    rows.set(ids.subarray(from, from + width), row * width);
  });
  return createHostTensor("int32", [places.length, width], rows);
}
