/** What `diptych eval` prints of a task: its metrics, its groups, the classes that fare worst, and what to know of them. */
import type { ClassOutcomes, Evaluation } from "@diptych/core";
import type { MeasuredTask } from "diptych";
import { formatTable } from "../table.js";
import { formatMetrics } from "./train.js";

/** Classes shown of those with the least recall. */
const WORST = 5;

export function formatTask(name: string, task: MeasuredTask): string {
  const { data, metrics, groups, classes, notes = [], mainMetric } = task;
  const size = data.size.toLocaleString("en");
  return [
    `${name === task.evaluator ? name : `${name} · ${task.evaluator}`} on ${data.name} (${size} ${data.size === 1 ? "sample" : "samples"})`,
    formatMetrics(metrics),
    ...(groups ? ["", formatGroups(groups, mainMetric)] : []),
    ...(classes ? formatWorst(classes) : []),
    ...notes,
  ].join("\n");
}

function formatGroups(groups: NonNullable<Evaluation["groups"]>, mainMetric: string): string {
  const rows = Object.entries(groups).flatMap(([label, byGroup]) =>
    Object.entries(byGroup).map(([value, metrics]) => {
      const metric = metrics[mainMetric];
      return [label, value, metric?.value.toFixed(4) ?? "", String(metric?.queries ?? 0)];
    }),
  );
  return formatTable(["group by", "value", mainMetric, "queries"], rows, [2, 3]);
}

function formatWorst({ names, recall, queries }: ClassOutcomes): readonly string[] {
  const known = names
    .map((name, i) => ({ name, recall: recall[i] ?? NaN, queries: queries[i] ?? 0 }))
    .filter((each) => each.queries > 0 && each.recall < 1)
    .sort((a, b) => a.recall - b.recall || b.queries - a.queries);
  if (known.length === 0) return [];
  const shown = known.slice(0, WORST).map((each) => {
    const right = Math.round(each.recall * each.queries);
    return `${each.name} ${right}/${each.queries}`;
  });
  return [`Least recall: ${shown.join(", ")}.`];
}
