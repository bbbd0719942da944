/** Values by class and method of a task, and its most frequent confusions as a table. */
import type { ClassRow } from "./class-chart.js";
import { addConfusion, frequentMistakes, type MethodConfusion } from "./confusion.js";
import { formatMetric } from "./report-numbers.js";
import type { ReportTable } from "./report-table.js";
import { meanByClass, rowsOf, type ReportView } from "./report-view.js";

export interface TaskClasses {
  /** What the values are: `recall`, `average precision`. */
  readonly what: string;
  readonly rows: readonly ClassRow[];
}

/** Undefined where the task has no classes, or methods have not the same ones. */
export function classRows(view: ReportView, task: string): TaskClasses | undefined {
  const found = view.methods.flatMap((method) => {
    const classes = meanByClass(rowsOf(view, task, method));
    return classes ? [{ method, ...classes }] : [];
  });
  const [first] = found;
  if (!first) return undefined;
  const names = first.outcomes.names;
  if (found.some(({ outcomes }) => outcomes.names.join("\n") !== names.join("\n")))
    return undefined;
  return {
    what: first.what,
    rows: names.map((name, i) => ({
      name,
      queries: first.outcomes.queries[i] ?? 0,
      values: found.map(({ method, values }) => ({ method, value: values[i] ?? NaN })),
    })),
  };
}

/** Of the methods whose evaluations count confusions, over the same classes. */
export function confusionsOf(view: ReportView, task: string): readonly MethodConfusion[] {
  const all = view.methods.flatMap(
    (method) => addConfusion(method, rowsOf(view, task, method)) ?? [],
  );
  const names = all[0]?.names.join("\n");
  return all.filter((one) => one.names.join("\n") === names);
}

/** Pairs shown of the most frequent mistakes. */
const PAIRS = 12;

export function mistakesTable(
  view: ReportView,
  task: string,
  confusions: readonly MethodConfusion[],
): ReportTable | undefined {
  const mistakes = frequentMistakes(confusions, PAIRS);
  if (mistakes.length === 0) return undefined;
  const seeds = view.seeds.length > 1 ? ", all seeds together" : "";
  return {
    caption: `${task}: what is taken for what, share of the class’s items${seeds}`,
    head: ["class", "taken for", ...confusions.map(({ method }) => method)],
    rows: mistakes.map(({ expected, guessed, shares }) => [
      expected,
      guessed,
      ...shares.map((share) => formatMetric(share, true)),
    ]),
    words: [1],
  };
}
