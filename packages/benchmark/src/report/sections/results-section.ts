/** Means, intervals and verdicts by task; what training cost; all metrics. */
import { html } from "../html.js";
import { responsiveChart } from "../page-frame.js";
import { meanChart } from "../mean-chart.js";
import { htmlTable } from "../report-table.js";
import { mainMeans, unique, type ReportView } from "../report-view.js";
import { costTable, groupTables, meansTable, metricsTable, levelOf } from "../result-tables.js";
import type { Section } from "./section.js";

export function resultsSection(view: ReportView): Section {
  const cost = costTable(view);
  return {
    id: "results",
    title: "Results",
    content: html`<p class="soft">${howToRead(view)}</p>
      ${view.tasks.map((task) => {
        const table = meansTable(view, task);
        const means = mainMeans(view, task);
        return table
          ? html`<h3>${task}</h3>
              <div class="card">
                ${responsiveChart((width) => meanChart(means, view.methods, width))}
              </div>
              ${htmlTable(table)}`
          : "";
      })}
      ${
        cost
          ? html`<h3>Cost</h3>
              ${htmlTable(cost)}`
          : ""
      }`,
  };
}

/** What intervals, p and verdicts are. */
export function howToRead(view: ReportView): string {
  const reaches = unique(view.means.flatMap(({ interval }) => interval?.over ?? []));
  const over = reaches.length > 0 ? ` over ${reaches.join(", or ")}` : "";
  const several = view.seeds.length > 1;
  const intervals = `Intervals hold the ${several ? "mean" : "value"} with ${levelOf(view)} confidence${over}.${several ? " The dots below each are single seeds." : ""}`;
  if (view.tests.length === 0) return intervals;
  return `${intervals} Differences are to ${view.baseline ?? "the baseline"}, paired by seed and item. p is of the test that belongs to their interval, corrected for all tests of this comparison (Holm); the verdict rests on it. Below it the tests over seeds alone and over items alone, uncorrected.`;
}

/** All metrics of each task and their values by group. */
export function metricsSection(view: ReportView): Section {
  return {
    id: "metrics",
    title: "All metrics",
    content: html`${view.tasks.map((task) => {
      const table = metricsTable(view, task);
      const groups = groupTables(view, task);
      return table
        ? html`<h3>${task}</h3>
            ${htmlTable(table)}${groups.map(htmlTable)}`
        : "";
    })}`,
  };
}
