/** Tables of a comparison for the terminal: what is planned, what came out. */
import {
  formatBudget,
  standBeside,
  type BesidePublished,
  type Comparison,
  type ComparisonPlan,
  type Interval,
  type SuiteResult,
} from "@diptych/benchmark";
import { formatTable } from "../table.js";

export function planTable({ methods, seeds, budget }: ComparisonPlan): string {
  const rows = methods.map(({ method, steps, cost, notes }) => [
    method,
    steps.toLocaleString("en"),
    (steps * cost.samples).toLocaleString("en"),
    (steps * cost.flops).toExponential(2),
    cost.flops.toExponential(2),
    cost.seconds === undefined ? "" : `${(1000 * cost.seconds).toFixed(1)} ms`,
    notes.join("; "),
  ]);
  return [
    `${formatBudget(budget)} a run, seeds ${seeds.join(", ")}: ${methods.length * seeds.length} runs.`,
    "",
    formatTable(
      ["method", "steps", "pictures", "FLOPs", "FLOPs a step", "time a step", "note"],
      rows,
      [1, 2, 3, 4, 5],
    ),
  ].join("\n");
}

export function comparisonTables({ means, tests, methods, baseline }: Comparison): string {
  const tasks = [...new Set(means.map(({ task }) => task))];
  return tasks
    .map((task) => {
      const rows = methods.flatMap((method) => {
        const mean = means.find((one) => one.task === task && one.method === method);
        if (!mean) return [[method, "failed", "", "", "", ""]];
        const test = tests.find(
          (one) => one.task === task && one.method === method && one.metric === mean.metric,
        );
        return [
          [
            method,
            percent(mean.mean),
            span(mean.interval),
            test ? signed(test.difference) : "",
            test ? span(test.interval) : "",
            test ? verdictOf(test.verdict, test.pCorrected) : method === baseline ? "baseline" : "",
          ],
        ];
      });
      const metric = means.find((one) => one.task === task)?.metric ?? "";
      return `${task} (${metric}, %)\n${formatTable(["method", "mean", "interval", "difference", "interval", "verdict"], rows, [1, 2, 3, 4])}`;
    })
    .join("\n\n");
}

/** A row for each task and model: its main metric, or why there is none. */
export function suiteTable({ tasks, models, rows, failed, means }: SuiteResult): string {
  const table = tasks.flatMap((task) =>
    models.map((method) => {
      const row = rows.find((one) => one.task === task && one.method === method);
      if (!row) {
        const why = failed.find((one) => one.task === task && one.method === method);
        return [task, method, "", "failed", "", why?.reason ?? "not measured"];
      }
      const { mainMetric: metric, evaluation } = row;
      const mean = means.find(
        (one) => one.task === task && one.method === method && one.metric === metric,
      );
      const { value = NaN, queries = 0 } = evaluation.metrics[metric] ?? {};
      const items = `of ${queries.toLocaleString("en")} queries`;
      const interval = span(mean?.interval ?? null, (end) => end.toFixed(4));
      return [task, method, metric, value.toFixed(4), interval, items];
    }),
  );
  return formatTable(["task", "model", "metric", "value", "interval", ""], table, [3, 4]);
}

/** What others published on each task's data, and whether it may be compared; of other data it is only said that there is some. */
export function publishedTables({ rows }: SuiteResult): string {
  const beside = rows.flatMap((row) => standBeside(row).map((one) => ({ ...one, task: row.task })));
  const found = beside
    .filter(({ sameData }) => sameData)
    .map(({ task, baseline, score, comparable, reasons }) => [
      task,
      `${baseline.model} ${baseline.pretrained}`,
      score.key,
      score.value.toFixed(4),
      comparable ? `comparable (${score.source.document})` : `not comparable: ${reasons.join(" ")}`,
    ]);
  const once = [...new Map(found.map((cells) => [cells.join("\n"), cells])).values()];
  const others = datasetsByTask(beside.filter(({ sameData }) => !sameData));
  return [
    once.length > 0
      ? `Published\n${formatTable(["task", "model", "score", "value", ""], once, [3])}`
      : "Nobody published what these tasks measure on their data.",
    ...others.map(
      ([task, sets]) =>
        `Published scores like those of ${task} are of other data (${sets.join(", ")}) and not comparable; the report has some.`,
    ),
  ].join("\n");
}

/** Names of the data sets by task. */
function datasetsByTask(
  beside: readonly (BesidePublished & { readonly task: string })[],
): readonly (readonly [string, readonly string[]])[] {
  const tasks = [...new Set(beside.map(({ task }) => task))];
  return tasks.map((task) => {
    const own = beside.filter((one) => one.task === task);
    return [task, [...new Set(own.map(({ score }) => score.protocol.dataset))]];
  });
}

function percent(value: number): string {
  return (100 * value).toFixed(2);
}

function signed(value: number): string {
  return `${value >= 0 ? "+" : "−"}${percent(Math.abs(value))}`;
}

function span(interval: Interval | null, show: (value: number) => string = percent): string {
  return interval ? `${show(interval.low)} … ${show(interval.high)}` : "";
}

function verdictOf(verdict: string, p: number | null): string {
  return p === null ? verdict : `${verdict} (p ${p < 0.001 ? "< 0.001" : p.toFixed(3)})`;
}
