/** Published scores beside one's own, with whether the protocols let them stand there. */
import { standBeside, type BesidePublished } from "../baselines/stand-beside.js";
import { areShares, formatMetric, NOTHING } from "./report-numbers.js";
import type { Cell, ReportTable } from "./report-table.js";
import { mainMeans, rowsOf, type ReportView } from "./report-view.js";

/** Published rows of a task at most. */
const SHOWN = 12;

/** Undefined where nobody published a score for what the task measures. */
export function publishedTable(view: ReportView, task: string): ReportTable | undefined {
  const [row] = rowsOf(view, task);
  const beside = row ? standBeside(row).slice(0, SHOWN) : [];
  if (!row || beside.length === 0) return undefined;
  const own = mainMeans(view, task);
  return {
    caption: `${task}: published scores`,
    head: ["model", "trained on", "score", "value", "comparable", "source"],
    rows: [
      ...own.map((one): readonly Cell[] => [
        { text: one.method, series: view.methods.indexOf(one.method) },
        row.provenance.trainData?.name ?? NOTHING,
        one.metric,
        formatMetric(one.mean, areShares([one.mean])),
        NOTHING,
        "this report",
      ]),
      ...beside.map(publishedRow),
    ],
    words: [1, 2, 4, 5],
    stack: true,
  };
}

function publishedRow({ baseline, score, comparable, reasons }: BesidePublished): readonly Cell[] {
  const { document, url, where, version } = score.source;
  return [
    `${baseline.model} (${baseline.pretrained})`,
    baseline.trainedOn,
    score.key,
    formatMetric(score.value, true),
    comparable
      ? { text: "yes", tone: "good" }
      : { text: "no", tone: "bad", below: reasons.join(" ") },
    { text: document, below: `${where}; ${version}`, href: url },
  ];
}
