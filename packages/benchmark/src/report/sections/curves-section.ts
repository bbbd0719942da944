/** Curves of metrics and of the loss with its terms, against what the reader chooses: pictures seen, operations or seconds. */
import { curveChart, dashOf } from "../curve-chart.js";
import { html, raw, type Html } from "../html.js";
import { CURVE_AXES, curveNames, meanCurves, type CurveAxis } from "../mean-curves.js";
import { responsiveChart, seriesColour } from "../page-frame.js";
import { mainMetricOf, type ReportView } from "../report-view.js";
import type { Section } from "./section.js";

const CHOICES: Readonly<Record<CurveAxis, string>> = {
  samples: "pictures seen",
  flops: "operations",
  seconds: "time",
};

/** Values drawn at most: main metrics, the loss and its terms come first. */
const SHOWN = 12;

/** Names drawn: the main metrics of tasks, then other values along the curve. */
export function shownCurves(view: ReportView): readonly string[] {
  const main = view.tasks.map((task) => `${task}/${mainMetricOf(view, task) ?? ""}`);
  const names = curveNames(view.runs);
  const rank = (name: string): number =>
    main.includes(name) ? 0 : name === "loss" || name.startsWith("loss/") ? 1 : 2;
  return [...names].sort((a, b) => rank(a) - rank(b)).slice(0, SHOWN);
}

/** Undefined where nothing was measured along the runs. */
export function curvesSection(view: ReportView): Section | undefined {
  const names = shownCurves(view);
  if (names.length === 0) return undefined;
  const left = curveNames(view.runs).length - names.length;
  return {
    id: "curves",
    title: "Curves",
    content: html`<p class="soft">${aboutCurves(view)}</p>
      <fieldset class="axes">
        <legend>Against</legend>
        ${CURVE_AXES.map(
          (axis, i) =>
            html`<label
              ><input
                type="radio"
                name="axis"
                value="${axis}"
                ${i === 0 ? raw("checked") : ""}
              />${CHOICES[axis]}</label
            >`,
        )}
      </fieldset>
      <div class="figures">${names.map((value) => figure(view, value))}</div>
      ${left > 0 ? html`<p class="soft">${left} more are in the CSV file only.</p>` : ""}`,
  };
}

export function aboutCurves(view: ReportView): string {
  return view.seeds.length > 1
    ? `Lines are means over ${view.seeds.length} seeds; bands are 95 % intervals for these means (Student’s t over seeds), cut where they would squeeze the curves.`
    : "One seed: curves have no intervals.";
}

function figure(view: ReportView, value: string): Html {
  const { methods, runs } = view;
  return html`<figure class="card">
    <figcaption>${value}</figcaption>
    ${curveKey(view)}
    ${CURVE_AXES.map((against) => {
      const curves = meanCurves(runs, { value, against });
      return html`<div class="axis ${against}">
        ${responsiveChart((width) => curveChart(curves, { value, against, methods, width }))}
      </div>`;
    })}
  </figure>`;
}

/** Which line is whose: with its dashes, so that it holds without colours. */
function curveKey({ methods }: ReportView): Html {
  return html`<div class="key">
    ${methods.map(
      (method, i) =>
        html`<span
          ><svg width="26" height="8" aria-hidden="true">
            <line
              x1="0"
              x2="26"
              y1="4"
              y2="4"
              stroke="${seriesColour(i)}"
              stroke-width="2.5"
              stroke-dasharray="${dashOf(i)}"
            /></svg
          >${method}</span
        >`,
    )}
  </div>`;
}
