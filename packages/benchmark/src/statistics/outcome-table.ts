/** Outcomes of one method, or differences of two, by seed and test item: what all statistics start from. */
import { DataError } from "@diptych/core";

export interface OutcomeTable {
  readonly seeds: number;
  /** 0: only the means by seed are known. */
  readonly items: number;
  /** Row-major [seeds, items]; [seeds] where there are no items. */
  readonly values: Float64Array;
}

/** @throws DataError without seeds, with rows of unequal length, or on a value that is no number. */
export function outcomeTable(rows: readonly ArrayLike<number>[]): OutcomeTable {
  const items = rows[0]?.length ?? 0;
  if (items === 0 || rows.some((row) => row.length !== items)) {
    throw new DataError(
      `benchmark/outcomeTable: rows: expected one a seed, of equal length, got ${rows.length} of [${rows.map((row) => row.length).join(", ")}]. Measure every seed on the same items.`,
    );
  }
  const values = new Float64Array(rows.length * items);
  rows.forEach((row, seed) => values.set(row, seed * items));
  return checkNumbers({ seeds: rows.length, items, values });
}

/** Where only a number by seed is known. @throws as {@link outcomeTable}. */
export function seedTable(values: readonly number[]): OutcomeTable {
  if (values.length === 0) {
    throw new DataError(
      "benchmark/seedTable: values: expected at least one seed, got none. Run some.",
    );
  }
  return checkNumbers({ seeds: values.length, items: 0, values: Float64Array.from(values) });
}

function checkNumbers(table: OutcomeTable): OutcomeTable {
  const wrong = table.values.findIndex((value) => !Number.isFinite(value));
  if (wrong < 0) return Object.freeze(table);
  const columns = table.items || 1;
  throw new DataError(
    `benchmark/outcomeTable: values: expected finite numbers, got ${table.values[wrong]} (seed ${Math.floor(wrong / columns)}, item ${wrong % columns}). Leave out items without an answer.`,
  );
}

/** a − b, seed by seed and item by item. @throws DataError where the two have other sizes. */
export function differences(a: OutcomeTable, b: OutcomeTable): OutcomeTable {
  if (a.seeds !== b.seeds || a.items !== b.items) {
    throw new DataError(
      `benchmark/differences: tables: expected equal sizes, got [${a.seeds}, ${a.items}] and [${b.seeds}, ${b.items}]. Pair seeds and items first.`,
    );
  }
  return Object.freeze({ ...a, values: a.values.map((value, i) => value - b.values[i]!) });
}

/** Means over items, one a seed. */
export function seedMeans({ seeds, items, values }: OutcomeTable): Float64Array {
  if (items === 0) return values;
  return Float64Array.from({ length: seeds }, (_, seed) =>
    meanOf(values.subarray(seed * items, (seed + 1) * items)),
  );
}

/** Means over seeds, one an item; empty without items. */
export function itemMeans({ seeds, items, values }: OutcomeTable): Float64Array {
  const means = new Float64Array(items);
  for (let seed = 0; seed < seeds; seed++)
    for (let item = 0; item < items; item++) means[item]! += values[seed * items + item]! / seeds;
  return means;
}

export function meanOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}
