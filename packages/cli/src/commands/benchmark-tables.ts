/** Tables of a comparison for the terminal: what is planned, what came out. */
import { formatBudget, type Comparison, type ComparisonPlan } from "@diptych/benchmark";
import { formatTable } from "../table.js";

export function planTable({ methods, seeds, budget }: ComparisonPlan): string {
  const rows = methods.map(({ method, steps, cost, notes }) => [
    method,
    steps === undefined ? "as time allows" : steps.toLocaleString("en"),
    steps === undefined ? "" : (steps * cost.samples).toLocaleString("en"),
    steps === undefined ? "" : (steps * cost.flops).toExponential(2),
    cost.flops.toExponential(2),
    notes.join("; "),
  ]);
  return [
    `${formatBudget(budget)} a run, seeds ${seeds.join(", ")}: ${methods.length * seeds.length} runs.`,
    "",
    formatTable(
      ["method", "steps", "pictures", "FLOPs", "FLOPs a step", "note"],
      rows,
      [1, 2, 3, 4],
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

function percent(value: number): string {
  return (100 * value).toFixed(2);
}

function signed(value: number): string {
  return `${value >= 0 ? "+" : "−"}${percent(Math.abs(value))}`;
}

function span(interval: { readonly low: number; readonly high: number } | null): string {
  return interval ? `${percent(interval.low)} … ${percent(interval.high)}` : "";
}

function verdictOf(verdict: string, p: number | null): string {
  return p === null ? verdict : `${verdict} (p ${p < 0.001 ? "< 0.001" : p.toFixed(3)})`;
}
