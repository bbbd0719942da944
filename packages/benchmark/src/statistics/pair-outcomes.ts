/** From the rows of runs to tables of outcomes: one metric by seed and item, the same items in the same order. */
import type { BenchmarkRow } from "../record.js";
import { outcomeTable, seedTable, type OutcomeTable } from "./outcome-table.js";

/** One method's rows of one task, by seed; undefined where the seed's run failed. */
export type RowsBySeed = readonly (BenchmarkRow | undefined)[];

/** The metric's value; undefined where the row is missing, lacks it, or it is no number (top 5 of fewer classes). */
export function metricValue(row: BenchmarkRow | undefined, metric: string): number | undefined {
  const value = row?.evaluation.metrics[metric]?.value;
  return value === undefined || !Number.isFinite(value) ? undefined : value;
}

/**
 * Tables of the metric for several lists of rows, equally long, over the items that all rows have an answer for.
 *
 * By item where every row has outcomes of the same items, matched by their ids; else by seed alone.
 */
export function pairOutcomes(
  lists: readonly (readonly BenchmarkRow[])[],
  metric: string,
): readonly OutcomeTable[] {
  const items = lists.map((rows) => rows.map((row) => itemValues(row, metric)));
  const ids = sharedIds(items.flat());
  if (ids.length === 0)
    return lists.map((rows) => seedTable(rows.map((row) => metricValue(row, metric)!)));
  return items.map((rows) => outcomeTable(rows.map((values) => ids.map((id) => values!.get(id)!))));
}

type ItemValues = ReadonlyMap<string, number>;

/** By id; the second item of one id is another item, `id#2`. */
function itemValues({ evaluation }: BenchmarkRow, metric: string): ItemValues | undefined {
  const values = evaluation.items?.values[metric];
  if (!evaluation.items || !values) return undefined;
  const seen = new Map<string, number>();
  return new Map(
    evaluation.items.ids.map((id, index): [string, number] => {
      const count = (seen.get(id) ?? 0) + 1;
      seen.set(id, count);
      return [count === 1 ? id : `${id}#${count}`, values[index] ?? NaN];
    }),
  );
}

/** Items with an answer in every row; none where rows are of different items. */
function sharedIds(rows: readonly (ItemValues | undefined)[]): readonly string[] {
  const [first] = rows;
  if (!first) return [];
  const alike = rows.every(
    (row) => row?.size === first.size && [...first.keys()].every((id) => row.has(id)),
  );
  if (!alike) return [];
  return [...first.keys()].filter((id) => rows.every((row) => Number.isFinite(row!.get(id))));
}
