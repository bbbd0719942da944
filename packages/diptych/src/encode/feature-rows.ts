/** The rows that an embedding fills, batch by batch, in the order of its inputs. */
import { createHostTensor, InternalError, type HostTensor } from "@diptych/core";
import type { EncodeOptions, Features } from "./encoder-runtime.js";

export interface FeatureRows {
  readonly signal: AbortSignal | undefined;
  /** @throws the signal's reason once it is aborted. */
  checkSignal(): void;
  /** Copies row i of `features` to row `places[i]`, scaled to length 1 where asked for, and tells of the progress. */
  write(features: HostTensor, places: readonly number[]): void;
  finish(): Features;
}

/** Length below which a row counts as zero and stays as it is (torch.nn.functional.normalize's eps). */
const SHORTEST = 1e-12;

export function createFeatureRows(
  count: number,
  width: number,
  { normalize = true, onProgress, signal }: EncodeOptions,
): FeatureRows {
  const data = new Float32Array(count * width);
  let done = 0;
  return Object.freeze({
    signal,
    checkSignal: () => signal?.throwIfAborted(),
    write: ({ data: values, shape }: HostTensor, places: readonly number[]) => {
      if (shape[0] !== places.length || shape[1] !== width) {
        throw new InternalError(
          `diptych/encode: features: expected [${places.length}, ${width}], got [${shape.join(", ")}].`,
        );
      }
      places.forEach((place, row) => {
        const length = normalize ? Math.max(lengthOf(values, row, width), SHORTEST) : 1;
        for (let i = 0; i < width; i++)
          data[place * width + i] = (values[row * width + i] ?? 0) / length;
      });
      done += places.length;
      onProgress?.(done, count);
    },
    finish: () => createHostTensor("float32", [count, width], data),
  });
}

function lengthOf(values: HostTensor["data"], row: number, width: number): number {
  let square = 0;
  for (let i = row * width; i < (row + 1) * width; i++) square += (values[i] ?? 0) ** 2;
  return Math.sqrt(square);
}
