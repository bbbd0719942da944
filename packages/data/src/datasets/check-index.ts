/** The range check of sized datasets. */
import { DataError } from "@diptych/core";

/** @throws DataError unless `index` is an integer in [0, size). */
export function checkIndex(index: number, size: number, dataset: string): number {
  if (Number.isInteger(index) && index >= 0 && index < size) return index;
  throw new DataError(
    `data/${dataset}: index: expected an integer from 0 to ${size - 1}, got ${index}. Use indices below the dataset's size.`,
  );
}
