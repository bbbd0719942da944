/** Metrics by group, and of the group that fares worst (as WILDS has it, arXiv:2012.07421). */
import { DataError, type Evaluation, type Metric } from "@diptych/core";

type Metrics = Readonly<Record<string, Metric>>;

export interface GroupOptions {
  /** By label: the group of each item. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
  /** Metrics over the items at these positions. */
  readonly measure: (items: readonly number[]) => Metrics;
  /** The metric by which a group is the worst. */
  readonly mainMetric: string;
}

/**
 * `groups` of an evaluation, `worstGroup/<label>/<metric>`: the least value of any group, with that group's counts, and a
 * sentence on which group that is.
 */
export function groupMetrics({ groups, measure, mainMetric }: GroupOptions): {
  readonly groups: NonNullable<Evaluation["groups"]>;
  readonly worst: Metrics;
  readonly notes: readonly string[];
} {
  const found: Record<string, Record<string, Metrics>> = {};
  const worst: Record<string, Metric> = {};
  const notes: string[] = [];
  for (const [label, values] of Object.entries(groups)) {
    const members = new Map<string, number[]>();
    values.forEach((value, item) => {
      const known = members.get(value);
      if (known) known.push(item);
      else members.set(value, [item]);
    });
    const byGroup = [...members]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([value, items]) => [value, measure(items)] as const);
    found[label] = Object.fromEntries(byGroup);
    const least = leastOf(byGroup, mainMetric);
    if (!least) continue;
    const [value, metric] = least;
    worst[`worstGroup/${label}/${mainMetric}`] = metric;
    notes.push(
      `By ${label}, ${mainMetric} is least for "${value}": ${metric.value.toFixed(4)} over ${metric.queries} pictures.`,
    );
  }
  return { groups: found, worst, notes };
}

/** The first group of the least value; NaN (a group with nothing to measure) is none. */
function leastOf(
  groups: readonly (readonly [string, Metrics])[],
  mainMetric: string,
): readonly [string, Metric] | undefined {
  let least: readonly [string, Metric] | undefined;
  for (const [value, { [mainMetric]: metric }] of groups) {
    if (!metric || Number.isNaN(metric.value)) continue;
    if (!least || metric.value < least[1].value) least = [value, metric];
  }
  return least;
}

/** @throws DataError where an item has no value of a label, or several. */
export function groupsOf(
  samples: readonly {
    readonly id: string;
    readonly labels?: Readonly<Record<string, string | readonly string[]>>;
  }[],
  labels: readonly string[],
): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    labels.map((label) => [
      label,
      samples.map(({ id, labels: all }) => {
        const value = all?.[label];
        if (typeof value === "string") return value;
        throw new DataError(
          `zeroshot/classification: sample ${id}: group label "${label}": expected one value, got ${value === undefined ? `none (labels: ${Object.keys(all ?? {}).join(", ") || "none"})` : `${value.length}`}. Give each sample one, or leave it out of groups.`,
        );
      }),
    ]),
  );
}
