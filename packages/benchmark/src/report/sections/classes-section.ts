/** Results by class: bars of the most changed, worst and best, the most frequent confusions, and a matrix for each method. */
import { chooseClasses, classChart } from "../class-chart.js";
import { classRows, confusionsOf, mistakesTable } from "../class-rows.js";
import { confusedClasses, type MethodConfusion } from "../confusion.js";
import { html, type Html } from "../html.js";
import { responsiveChart } from "../page-frame.js";
import { htmlTable, methodMark, tableCard } from "../report-table.js";
import type { ReportView } from "../report-view.js";
import type { Section } from "./section.js";

/** Undefined where no task has classes. */
export function classesSection(view: ReportView): Section | undefined {
  const parts = view.tasks.flatMap((task) => {
    const bars = taskBars(view, task);
    const confusions = confusionsOf(view, task);
    const table = mistakesTable(view, task, confusions);
    if (!bars && !table) return [];
    return [
      html`<h3>${task}</h3>
        ${bars ?? ""} ${table ? htmlTable(table) : ""} ${table ? matrices(view, confusions) : ""}`,
    ];
  });
  if (parts.length === 0) return undefined;
  return { id: "classes", title: "Classes", content: html`${parts}` };
}

function taskBars(view: ReportView, task: string): Html | undefined {
  const classes = classRows(view, task);
  const choices = chooseClasses(classes?.rows ?? []);
  if (!classes || choices.length === 0) return undefined;
  const { rows, what } = classes;
  const shown = new Set(choices.flatMap((choice) => choice.rows.map(({ name }) => name))).size;
  return html`<p class="soft">
      ${what.charAt(0).toUpperCase() + what.slice(1)} of
      ${shown < rows.length ? `${shown} of ${rows.length} classes` : `${rows.length} classes`}${view.seeds.length > 1 ? ", means over seeds" : ""}.
    </p>
    <div class="key">
      ${view.methods.map((method, i) => html`<span>${methodMark(i)}${method}</span>`)}
    </div>
    ${choices.map(
      (choice) =>
        html`<figure class="card">
          <figcaption>${choice.title}</figcaption>
          ${responsiveChart((width) => classChart(choice, view.methods, width))}
        </figure>`,
    )}`;
}

/** Classes of a matrix at most. */
const MATRIX = 12;

function matrices(view: ReportView, confusions: readonly MethodConfusion[]): Html {
  const classes = confusedClasses(confusions, MATRIX);
  const all = confusions[0]?.names.length ?? 0;
  return html`<p class="soft">
      Rows are right classes, columns the answers, numbered as the rows; shares of a row’s items in
      percent.${classes.length < all ? ` The ${classes.length} classes of ${all} that are mixed up most; answers outside of them are not shown.` : ""}
    </p>
    ${confusions.map((confusion) => matrix(view, confusion, classes))}`;
}

function matrix(view: ReportView, confusion: MethodConfusion, classes: readonly number[]): Html {
  const { method, names, queries, counts } = confusion;
  const cell = (from: number, to: number): Html => {
    const count = counts.get(`${from},${to}`) ?? 0;
    const share = count / (queries[from] || 1);
    const colour = from === to ? "var(--good)" : "var(--bad)";
    const strength = Math.round(Math.min(45, 60 * share));
    return html`<td
      class="${from === to ? "own" : ""}"
      style="background:color-mix(in srgb, ${colour} ${strength}%, transparent)"
    >
      ${count === 0 ? "" : Math.round(100 * share)}
    </td>`;
  };
  const label = `Confusions of ${method}`;
  const table = html`<table class="matrix" aria-label="${label}">
    <thead>
      <tr>
        <th scope="col">class</th>
        ${classes.map(
          (to, i) => html`<th scope="col"><abbr title="${names[to] ?? ""}">${i + 1}</abbr></th>`,
        )}
      </tr>
    </thead>
    <tbody>
      ${classes.map(
        (from, i) =>
          html`<tr>
            <th scope="row">${i + 1} ${names[from] ?? ""}</th>
            ${classes.map((to) => cell(from, to))}
          </tr>`,
      )}
    </tbody>
  </table>`;
  const heading = html`${methodMark(view.methods.indexOf(method))}${method}`;
  return tableCard(heading, label, table);
}
