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

/** `groups` of an evaluation, and `worstGroup/<label>/<metric>`: the least value of any group, with that group's counts. */
export function groupMetrics({ groups, measure, mainMetric }: GroupOptions): {
  readonly groups: NonNullable<Evaluation["groups"]>;
  readonly worst: Metrics;
} {
  const found: Record<string, Record<string, Metrics>> = {};
  const worst: Record<string, Metric> = {};
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
    const least = worstOf(byGroup.map(([, metrics]) => metrics[mainMetric]));
    if (least) worst[`worstGroup/${label}/${mainMetric}`] = least;
  }
  return { groups: found, worst };
}

/** The first of the least values; NaN (a group with nothing to measure) is none. */
function worstOf(metrics: readonly (Metric | undefined)[]): Metric | undefined {
  return metrics.reduce(
    (least, metric) =>
      metric && !Number.isNaN(metric.value) && !(least && least.value <= metric.value)
        ? metric
        : least,
    undefined,
  );
}

/** A sentence on which group fares worst by each label. */
export function noteOnWorstGroups(
  groups: NonNullable<Evaluation["groups"]>,
  mainMetric: string,
): readonly string[] {
  return Object.entries(groups).flatMap(([label, byGroup]) => {
    const values = Object.entries(byGroup).filter(
      ([, metrics]) => !Number.isNaN(metrics[mainMetric]?.value ?? NaN),
    );
    const least = worstOf(values.map(([, metrics]) => metrics[mainMetric]));
    const name = values.find(([, metrics]) => metrics[mainMetric] === least)?.[0];
    if (!least || name === undefined) return [];
    return [
      `By ${label}, ${mainMetric} is least for "${name}": ${least.value.toFixed(4)} over ${least.queries} pictures.`,
    ];
  });
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
