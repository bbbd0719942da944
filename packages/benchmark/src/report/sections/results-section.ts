/** Means, intervals and verdicts by task; what training cost; all metrics. */
import { html } from "../html.js";
import { responsiveChart } from "../page-frame.js";
import { meanChart } from "../mean-chart.js";
import { htmlTable } from "../report-table.js";
import type { ReportView } from "../report-view.js";
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
        const means = view.means.filter((one) => one.task === task);
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
  const level = levelOf(view);
  const several = view.seeds.length > 1;
  const intervals = several
    ? `Intervals hold the mean with ${level} confidence, by bootstrap over seeds and test items together. The dots below each are single seeds.`
    : `Intervals hold the value with ${level} confidence, by bootstrap over test items.`;
  if (view.tests.length === 0) return intervals;
  return `${intervals} Differences are to ${view.baseline ?? "the baseline"}, paired by seed and item; p is of a test over seeds and items together, corrected for all tests of this comparison (Holm): the verdict rests on it. Below it the tests over seeds alone and over items alone, uncorrected.`;
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
